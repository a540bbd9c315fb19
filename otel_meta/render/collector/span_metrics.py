"""Span metrics: an optional file for the sidecars of services without metrics."""

from __future__ import annotations

from typing import Final

from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.header import generated_from
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION

from .common_config import Config
from .secret_masking import SPAN_REDACTION
from .sidecar import FIRST_PROCESSORS, IDENTITY, PROMETHEUS

FILTER: Final = "filter/span_metrics"
CONNECTOR: Final = "span_metrics"

_COMMENT: Final = f"""\
{generated_from("otel_meta/render/collector/span_metrics.py")}
Add this file for a service with traces and without http.server.request.duration:
  otelcol --config sidecar.yaml --config span-metrics.yaml
Services with otel_meta do not need it: they record every request, sampled or not, with the labels
that rules read. Counting the same requests twice would cost more and give different numbers."""

_DIMENSIONS: Final = (
    "service.namespace",
    "http.route",
    "http.request.method",
    "http.response.status_code",
    "error.type",
)
_DISTRO: Final = 'resource.attributes["telemetry.distro.name"] == "otel_meta"'
_INNER: Final = "span.kind != SPAN_KIND_SERVER and span.kind != SPAN_KIND_CONSUMER"


def span_metrics_file() -> str:
    """Return the text of span-metrics.yaml."""
    return to_yaml(span_metrics_config(), comment=_COMMENT)


def span_metrics_config() -> Config:
    """Return the configuration, which is merged into the sidecar's."""
    return {
        "processors": {FILTER: _filter()},
        "connectors": {CONNECTOR: _connector()},
        "service": {
            "pipelines": {
                "traces/span_metrics": {
                    "receivers": ["otlp"],
                    **comment(
                        "Names and attributes of spans become labels, so secrets are masked first."
                    ),
                    "processors": [*FIRST_PROCESSORS, FILTER, *SPAN_REDACTION],
                    "exporters": [CONNECTOR],
                },
                "metrics/span_metrics": {
                    "receivers": [CONNECTOR],
                    "processors": [IDENTITY],
                    "exporters": [PROMETHEUS],
                },
            }
        },
    }


def _filter() -> Config:
    """Drop spans of services with otel_meta, and spans of other kinds than server and consumer."""
    return {"error_mode": "ignore", "trace_conditions": [_DISTRO, _INNER]}


def _connector() -> Config:
    bounds = [f"{bound:g}s" for bound in HTTP_SERVER_REQUEST_DURATION.buckets]
    return {
        "namespace": "traces.span.metrics",
        "histogram": {"unit": "s", "explicit": {"buckets": bounds}},
        "dimensions": [{"name": name} for name in _DIMENSIONS],
        **comment("This id changes with every restart of the Collector."),
        "exclude_dimensions": ["collector.instance.id"],
        "exemplars": {"enabled": True, "max_per_data_point": 5},
        **comment("Further series are combined into one with the label otel_metric_overflow."),
        "aggregation_cardinality_limit": 2000,
        "series_expiration": "15m",
        "metrics_flush_interval": "15s",
    }
