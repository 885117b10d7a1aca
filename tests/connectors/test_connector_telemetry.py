"""What a process with an SDK sees. In a process of its own, because an SDK is set up once and for all."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROCESS = """
import json
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from connectors import telemetry
from connectors.errors import TransientError
from connectors.retries import RetryPolicy

spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracers)
metrics.set_meter_provider(MeterProvider([reader]))
errors = [TransientError("busy")]

def read():
    if errors:
        raise errors.pop()
    telemetry.request("crm", 200)
    return ["a", "b"]

policy = RetryPolicy(sleep=lambda _: None)
telemetry.page("crm", "Account", lambda: policy.call(read, "crm"))
sums = {}
for resource in reader.get_metrics_data().resource_metrics:
    for scope in resource.scope_metrics:
        for metric in scope.metrics:
            for point in metric.data.data_points:
                sums[metric.name] = [point.value, dict(point.attributes)]
found = [[span.name, dict(span.attributes)] for span in spans.get_finished_spans()]
print(json.dumps({"spans": found, "sums": sums}))
"""


def test_a_page_is_a_span_and_requests_rows_and_retries_are_counted() -> None:
    done = subprocess.run([sys.executable, "-c", PROCESS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {
        "spans": [["connector.page", {"system": "crm", "object": "Account", "rows": 2}]],
        "sums": {
            "connector.requests": [1, {"system": "crm", "status": "200"}],
            "connector.rows": [2, {"system": "crm", "object": "Account"}],
            "connector.retries": [1, {"system": "crm"}],
        },
    }
