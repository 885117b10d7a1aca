"""A first load and a poll after 10,000 changes, as ratios to reading the same pages with httpx and parsing the JSON.

The org is simulated in a process of its own, and so is each side, so that peak memory is that side's alone. Pages of
the first load are rendered once and then replayed, so that neither side waits for the simulator; after the changes
both sides are answered afresh.
"""

import json
import multiprocessing
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import yaml
from rich.table import Table

from connectors.mapping_file import SHIPPED
from gateway.config import parse
from gateway.installation import Installation
from gateway.sync.run import sync_now
from sandbox.faults import Exchange
from sandbox.salesforce import SalesforceOrg, SalesforceServer

OBJECT = "SBQQ__Subscription__c"
START = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
CHANGES = 10_000
CLIENT, SECRET = "bench-client", "bench-secret"
_TYPES = {
    "CurrencyIsoCode": "picklist",
    "SBQQ__Account__c": "reference(Account)",
    "SBQQ__Product__c": "reference(Product2)",
    "SBQQ__Contract__c": "string",
    "SBQQ__RevisedSubscription__c": "string",
    "SBQQ__QuoteLine__c": "string",
    "SBQQ__Quantity__c": "double",
    "SBQQ__NetPrice__c": "currency",
    "SBQQ__ListPrice__c": "currency",
    "SBQQ__ChargeType__c": "picklist",
    "SBQQ__BillingFrequency__c": "picklist",
    "SBQQ__BillingType__c": "picklist",
    "SBQQ__StartDate__c": "date",
    "SBQQ__SubscriptionStartDate__c": "date",
    "SBQQ__SubscriptionEndDate__c": "date",
    "SBQQ__EndDate__c": "date",
    "SBQQ__TerminatedDate__c": "date",
    "Free_Until__c": "date",
    "Included_Quantity__c": "double",
    "Overage_Price__c": "currency",
    "Overage_Measure__c": "picklist",
    "Billable__c": "boolean",
}


@dataclass(frozen=True)
class Run:
    """What one side took: seconds, MiB at its peak, and how many records it read."""

    seconds: float
    peak_mib: float
    records: int


def measured(records: int, runs: int, folder: Path) -> Table:
    """Both sides of both polls, `runs` times in turn for the first load."""
    table = Table(title=f"Sync of {records:,} records, seconds (median)")
    for heading in ("poll", "records", "sync", "raw read", "rate of the raw read", "peak of the sync"):
        table.add_column(heading, justify="left" if heading == "poll" else "right")
    with _org(records) as org:
        _synced(org.url, folder)
        pages = org.ask("pages")
        first = [(_synced(org.url, folder), _read(org.url, pages)) for _ in range(runs)]
        _add(table, "first load", first)
        org.ask("change")
        later = _synced(org.url, folder, again=True)
        _add(table, "after 10,000 changes", [(later, _read(org.url, org.ask("pages")))])
    return table


def _add(table: Table, title: str, sides: Sequence[tuple[Run, Run]]) -> None:
    ours, raw = median(run.seconds for run, _ in sides), median(run.seconds for _, run in sides)
    peak = max(run.peak_mib for run, _ in sides)
    read = f"{sides[0][0].records:,}"
    table.add_row(title, read, f"{ours:.2f}", f"{raw:.2f}", f"{raw / ours:.0%}", f"{peak:.0f} MiB")


@dataclass(frozen=True)
class _Org:
    url: str
    _pipe: Connection

    def ask(self, what: str) -> Any:
        """`pages`: the addresses that were asked since the last time; `change`: make the changes."""
        self._pipe.send(what)
        return self._pipe.recv()


@contextmanager
def _org(records: int) -> Iterator[_Org]:
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_serve, args=(records, theirs), daemon=True)
    process.start()
    try:
        yield _Org(ours.recv(), ours)
    finally:
        process.terminate()
        process.join()


class _Replay:
    """Pages are rendered at their first request, and replayed afterwards. Remembers which were asked for."""

    def __init__(self) -> None:
        self._pages: dict[str, list[Any]] | None = {}
        self._asked: list[str] = []

    async def __call__(self, exchange: Exchange) -> None:
        address = f"{exchange.scope['path']}?{exchange.scope['query_string'].decode()}"
        self._asked.append(address)
        messages = (self._pages or {}).get(address) or await exchange.answer()
        if self._pages is not None:
            self._pages[address] = messages
        for message in messages:
            await exchange.send(message)

    def asked(self) -> list[str]:
        asked, self._asked = list(dict.fromkeys(self._asked)), []
        return asked

    def stop(self) -> None:
        self._pages = None


def _serve(records: int, pipe: Connection) -> None:
    now = START
    org = SalesforceOrg(lambda: now)
    ids = _filled(org, records)
    with SalesforceServer(org, client_id=CLIENT, client_secret=SECRET, daily_limit=10**9) as server:
        replay = _Replay()
        server.faults.add(replay, path="/query", times=None)
        pipe.send(server.url)
        while True:
            if pipe.recv() == "pages":
                pipe.send(replay.asked())
                continue
            now = START + timedelta(hours=1)
            for key in ids[:: max(1, len(ids) // CHANGES)][:CHANGES]:
                org.put(OBJECT, {"Id": key, "SBQQ__Quantity__c": Decimal(7)})
            replay.stop()
            replay.asked()
            pipe.send("changed")


def _filled(org: SalesforceOrg, records: int) -> list[str]:
    org.define("Account", {"Name": "string"})
    org.define("Product2", {"Name": "string", "ProductCode": "string"})
    org.define(OBJECT, _TYPES)
    account = org.put("Account", {"Name": "A"})
    products = [org.put("Product2", {"Name": f"P{n}", "ProductCode": f"CODE-{n}"}) for n in range(20)]
    return [org.put(OBJECT, _row(n, account, products[n % 20])) for n in range(records)]


def _row(n: int, account: str, product: str) -> dict[str, Any]:
    return {
        "SBQQ__Account__c": account,
        "SBQQ__Product__c": product,
        "SBQQ__Contract__c": f"800{n // 3:015d}",
        "SBQQ__Quantity__c": Decimal(1 + n % 50),
        "SBQQ__NetPrice__c": Decimal(10 + n % 90),
        "SBQQ__ListPrice__c": Decimal(100),
        "CurrencyIsoCode": "USD",
        "SBQQ__ChargeType__c": "Recurring",
        "SBQQ__BillingFrequency__c": "Monthly",
        "SBQQ__BillingType__c": "Advance",
        "SBQQ__StartDate__c": date(2026, 1 + n % 12, 1),
        "SBQQ__SubscriptionStartDate__c": date(2026, 1 + n % 12, 1),
        "SBQQ__EndDate__c": date(2027, 1 + n % 12, 1),
        "Billable__c": True,
        "SystemModstamp": START - timedelta(days=30) + timedelta(seconds=n % 2_000_000),
    }


def _synced(url: str, folder: Path, *, again: bool = False) -> Run:
    if not again:
        shutil.rmtree(folder, ignore_errors=True)
    return _apart(_sync, url, folder, again)


def _read(url: str, pages: Sequence[str]) -> Run:
    return _apart(_read_raw, url, pages)


def _apart(work: Callable[..., int], *given: Any) -> Run:
    """Run it in a process of its own, so that the peak is its own."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_timed, args=(theirs, work, given))
    process.start()
    theirs.close()
    run: Run = ours.recv()
    process.join()
    return run


def _timed(pipe: Connection, work: Callable[..., int], given: Sequence[Any]) -> None:
    started = time.perf_counter()
    records = work(*given)
    seconds = time.perf_counter() - started
    pipe.send(Run(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, records))


def _sync(url: str, folder: Path, again: bool) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    said = yaml.safe_load((SHIPPED / "salesforce_cpq.yaml").read_text(encoding="utf-8"))
    said["objects"] = {OBJECT: said["objects"][OBJECT]}
    (folder / "lines.yaml").write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    source = {
        "connector": "salesforce",
        "roles": ["crm"],
        "mapping": "lines.yaml",
        "settings": {"base_url": url, "bulk_above": 10**9},
        "commit_lag_minutes": 10,
    }
    now = START + timedelta(hours=2 if again else 0)
    os.environ |= {"TIEOUT_CRM_CONSUMER_KEY": CLIENT, "TIEOUT_CRM_CONSUMER_SECRET": SECRET}
    installed = Installation(parse({"sources": {"crm": source}}, folder), lambda: now)
    report = sync_now(installed).sources["crm"]
    installed.close()
    assert not report.failures, report.failure
    return report.records[OBJECT]


def _read_raw(url: str, pages: Sequence[str]) -> int:
    login = {"grant_type": "client_credentials"}
    with httpx.Client(base_url=url, timeout=120) as client:
        token = client.post("/services/oauth2/token", data=login, auth=(CLIENT, SECRET)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return sum(len(json.loads(client.get(page).content)["records"]) for page in pages)


_PROCESSES = multiprocessing.get_context("spawn")
