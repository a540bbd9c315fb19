"""Metrics made from spans, for services that record none themselves; a file to be added."""

from __future__ import annotations

from typing import Final

from otel_meta.render._yaml import note, to_yaml
from otel_meta.render.header import generated_from
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION

from .common_config import Config
from .sidecar import BEFORE, IDENTITY, PROMETHEUS

FILTER: Final = "filter/span_metrics"
CONNECTOR: Final = "span_metrics"

_COMMENT: Final = f"""\
{generated_from("otel_meta/render/collector/span_metrics.py")}
Added where a service has traces and no http.server.request.duration:
  otelcol --config sidecar.yaml --config span-metrics.yaml
Off by default, for services of otel_meta measure every request themselves: whatever was sampled,
and with the labels that rules read. A second count of the same would cost and disagree."""

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
    """The file."""
    return to_yaml(span_metrics_config(), comment=_COMMENT)


def span_metrics_config() -> Config:
    """What is merged into the sidecar's configuration."""
    return {
        "processors": {FILTER: _filter()},
        "connectors": {CONNECTOR: _connector()},
        "service": {
            "pipelines": {
                "traces/span_metrics": {
                    "receivers": ["otlp"],
                    "processors": [*BEFORE, FILTER],
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
    """Drops what is measured already, and what nobody outside waits for."""
    return {"error_mode": "ignore", "trace_conditions": [_DISTRO, _INNER]}


def _connector() -> Config:
    bounds = [f"{bound:g}s" for bound in HTTP_SERVER_REQUEST_DURATION.buckets]
    return {
        "namespace": "traces.span.metrics",
        "histogram": {"unit": "s", "explicit": {"buckets": bounds}},
        "dimensions": [{"name": name} for name in _DIMENSIONS],
        **note("It would be new at every restart of the Collector."),
        "exclude_dimensions": ["collector.instance.id"],
        "exemplars": {"enabled": True, "max_per_data_point": 5},
        **note("Then comes one series for all others, marked otel_metric_overflow."),
        "aggregation_cardinality_limit": 2000,
        "series_expiration": "15m",
        "metrics_flush_interval": "15s",
    }
