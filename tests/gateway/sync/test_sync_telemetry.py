"""What an operator sees of a sync: in a process of its own, as an SDK is set up once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gateway.sync.systems import Systems, deal

ROOT = Path(__file__).resolve().parents[3]
PROCESS = """
import json, sys
from pathlib import Path
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracers)
metrics.set_meter_provider(MeterProvider([reader]))

from gateway.config import load
from gateway.installation import Installation
from gateway.sync.run import sync_now
from gateway.sync.telemetry import watch

installed = Installation(load(Path(sys.argv[1])))
watch(installed.ledger.latest, installed.clock)
sync_now(installed)
points = [
    [metric.name, dict(point.attributes), point.value]
    for resource in reader.get_metrics_data().resource_metrics
    for scope in resource.scope_metrics if scope.scope.name == "tieout.sync"
    for metric in scope.metrics
    for point in metric.data.data_points
]
shown = [[s.name, dict(s.attributes), s.status.status_code.name] for s in spans.get_finished_spans()]
print(json.dumps({"spans": shown, "points": points}))
"""


class Run:
    """A sync in which one source is well, one refuses the login and one is down."""

    def __init__(self, systems: Systems, url: str) -> None:
        settings = systems.settings()
        config = systems.folder / "tieout.yaml"
        config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        systems.zuora.revoke_tokens()
        systems.netsuite.stop()
        environment = {
            **systems.environment(),
            "TIEOUT_BILLING_CLIENT_SECRET": "wrong-secret-40b1",
            "TIEOUT_DATABASE_URL": url,
        }
        process = [sys.executable, "-c", PROCESS, str(config)]
        done = subprocess.run(process, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        self.spans: list[Any] = said["spans"]
        self.points: list[Any] = said["points"]

    def value(self, name: str, **attributes: str) -> float | None:
        found = [value for metric, said, value in self.points if metric == name and said == attributes]
        return found[0] if found else None


@pytest.fixture
def run(live_systems: Systems, database_url: str) -> Run:
    account = live_systems.org.put("Account", {"Name": "Good", "Bill_Day__c": "15"})
    live_systems.org.put("Account", {"Name": "Bad", "Bill_Day__c": "x"})
    live_systems.org.put("Deal__c", deal(account, "Q-1", "Amendment"))
    return Run(live_systems, database_url)


def test_a_faulty_run_is_seen(run: Run) -> None:
    polls = {(said["system"], said["object"]): said for name, said, _ in run.spans if name == "sync.object"}
    assert polls["crm", "Account"] == {"system": "crm", "object": "Account", "rows": 2, "rejects": 1, "deleted": 0}
    assert polls["crm", "Deal__c"] == {"system": "crm", "object": "Deal__c", "rows": 1, "rejects": 0, "deleted": 0}
    failed = {said["object"] for name, said, status in run.spans if name == "sync.object" and status == "ERROR"}
    assert failed == {"Account", "customer", "transaction"}, "billing refuses at once, the ERP is asked twice"
    assert run.value("tieout.sync.rows", system="crm", entity="quotes") == 1
    assert run.value("tieout.sync.rejects", system="crm", object="Account") == 1
    assert run.value("tieout.sync.failures", system="billing", object="Invoice") == 1
    assert run.value("tieout.sync.failures", system="erp", object="accountingperiod") == 1
    assert run.value("tieout.sync.failures", system="crm", object="Account") is None
    age = run.value("tieout.sync.watermark_age", system="crm", entity="quotes")
    assert age is not None
    assert -5 < age < 300
    assert run.value("tieout.sync.watermark_age", system="erp", entity="invoices") is None
