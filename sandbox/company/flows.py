"""The integration platform between the systems: good runs day by day, and what failed and was mended."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from sandbox.company.flow_records import Flow, FlowError, FlowRun
from sandbox.company.model import Account
from sandbox.company.world import World

_DAYS = 70

QUOTES = Flow(
    "quotes_to_billing", "salesforce", "zuora", "Quote", (14, 18, 17, 19, 12, 0, 0), Decimal("1840.50"), "USD"
)
USAGE = Flow("usage_to_billing", "metering", "zuora", "Usage", (900, 950, 980, 940, 870, 300, 280), hour=2)
INVOICES = Flow(
    "invoices_to_erp", "zuora", "netsuite", "Invoice", (40, 44, 43, 45, 38, 20, 18), Decimal("2310.25"), "USD", hour=5
)
ADDRESSES = Flow("addresses_to_erp", "salesforce", "netsuite", "Account", (9, 8, 7, 9, 6, 0, 0), counts=False, hour=4)
FLOWS = (QUOTES, USAGE, INVOICES, ADDRESSES)


def run_flows(world: World, rng: Random) -> None:
    """Ten weeks of good runs, and records of some customers that failed once and were moved later, or given up."""
    for flow in FLOWS:
        world.flow_runs.extend(good_runs(world, flow))
    for account in list(world.accounts.values()):
        if rng.random() < 0.06:
            _mended(world, rng, account)


def _mended(world: World, rng: Random, account: Account) -> None:
    error = failed(world, rng.choice((QUOTES, USAGE)), f"R-{account.number}", account, rng.randint(60, 900))
    match rng.randrange(3):
        case 0:
            moved_again(world, error)
        case 1:
            done = error.last_seen_at + timedelta(hours=2)
            world.flow_errors[error.error_id] = replace(error, status="resolved", resolved_at=done, owner="it-desk")
        case 2:
            world.flow_errors[error.error_id] = replace(error, status="ignored", owner="it-desk")


def moved_again(world: World, error: FlowError) -> FlowRun:
    """A later run that moved the record alone, by its trace key."""
    started = error.last_seen_at + timedelta(minutes=40)
    made = FlowRun(
        f"{error.error_id}-again", error.flow, started, started + timedelta(minutes=1), "success", 1, 0, 1, None,
        error.trace_key,
    )  # fmt: skip
    world.flow_runs.append(made)
    return made


def good_runs(world: World, flow: Flow, since: int = _DAYS) -> Iterator[FlowRun]:
    """A run on each of the last days before today, with about as many records as are usual on its weekday."""
    for days_ago in range(since, 0, -1):
        day = world.today - timedelta(days=days_ago)
        usual = flow.by_weekday[day.weekday()]
        moved = usual and max(usual + day.toordinal() * 7 % 5 - 2, 1)
        yield run_of(flow, day, moved, source_count=moved if flow.counts else None)


def run_of(
    flow: Flow, day: date, written: int, *, source_count: int | None = None, trace_key: str | None = None, at: int = 0
) -> FlowRun:
    """The run of a day, that of the hour `at` where it is not the usual one."""
    started = datetime.combine(day, time(at or flow.hour, 10), UTC)
    return FlowRun(
        f"{flow.name}-{started:%Y%m%d%H}",
        flow,
        started,
        started + timedelta(minutes=4),
        "success",
        written,
        source_count=source_count,
        amount=flow.each * written if flow.each is not None else None,
        trace_key=trace_key,
    )


def failed(
    world: World,
    flow: Flow,
    record_key: str,
    account: Account | None,
    hours_ago: int,
    *,
    code: str = "INVALID_FIELD_VALUE",
    message: str = "The rate plan of the record is not active",
    owner: str | None = None,
    amount: Decimal | None = None,
    currency: str | None = None,
) -> FlowError:
    """Put a record into the error queue; it was tried for the last time an hour later."""
    number = world.ids.number("flow error")
    first = world.now - timedelta(hours=hours_ago)
    made = FlowError(
        f"{flow.target}-dlq-{number:06d}",
        flow,
        f"{flow.object}-{record_key}",
        record_key,
        code,
        message,
        "open",
        first,
        min(first + timedelta(hours=1), world.now - timedelta(minutes=10)),
        account.crm_id if account else None,
        owner,
        amount,
        currency,
    )
    world.flow_errors[made.error_id] = made
    return made
