"""Traces and metrics: OpenTelemetry, OTLP out where an endpoint is set, Prometheus at /metrics.

Endpoints and headers come from OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, …).
"""

import os

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def install(service: str) -> None:
    """Set the process up once, at its start."""
    resource = Resource.create({"service.name": service})
    readers: list[MetricReader] = [PrometheusMetricReader()]
    tracing = TracerProvider(resource=resource)
    if os.environ.get(ENDPOINT):
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
        tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=readers))
    trace.set_tracer_provider(tracing)
