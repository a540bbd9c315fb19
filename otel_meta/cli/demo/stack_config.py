"""Small configurations of the demo's servers, on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

from otel_meta.render._yaml import to_yaml
from otel_meta.render.alertmanager import alertmanager
from otel_meta.render.artifacts import rule_files
from otel_meta.render.links import Links
from otel_meta.render.options import Options
from otel_meta.render.receivers import Receivers, Webhooks
from otel_meta.render.rules.rule_formats import prometheus
from otel_meta.repos import BUILTIN

SPEED: Final = 60
"""Factor between the durations of the rules and of the demo: an hour becomes a minute."""

_SCALE: Final = Fraction(1, SPEED)
_COMMENT: Final = "Written by otel-meta demo."
_LOOPBACK: Final = "127.0.0.1"
_MAX_TRACES: Final = 100_000


def rules(runbooks: str = Links.runbooks) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of the built-in rule files, with shortened durations.

    Args:
        runbooks: the base of the links to runbooks.
    """
    for file in rule_files(BUILTIN, Options(links=Links(runbooks=runbooks))):
        yield f"{file.name}.yml", prometheus(file, _SCALE)


def alertmanager_config(webhooks: str) -> str:
    """Return a configuration with one receiver for all alerts."""
    webhooks_of_all_owners = Webhooks(page=f"{webhooks}/page", ticket=f"{webhooks}/ticket")
    receivers = Receivers(default=webhooks_of_all_owners, watchdog=f"{webhooks}/watchdog")
    return alertmanager(BUILTIN, Options(receivers=receivers), _SCALE)


def prometheus_config(rules_folder: str, alertmanager_port: int, metrics_port: int) -> str:
    """Return a configuration that scrapes each second: the rules' shortest window is 5 s."""
    return _yaml(
        {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [f"{rules_folder}/*.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [_target(alertmanager_port)]}]},
            "scrape_configs": [
                {
                    "job_name": "sidecar",
                    "honor_labels": True,
                    "static_configs": [_target(metrics_port)],
                }
            ],
        }
    )


def jaeger_config(*, query: int, otlp: int) -> str:
    """Return a configuration with storage in memory."""
    return _yaml(
        {
            "extensions": {
                "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": _MAX_TRACES}}}},
                "jaeger_query": {
                    "storage": {"traces": "memory"},
                    "http": {"endpoint": f"{_LOOPBACK}:{query}"},
                    "grpc": {"endpoint": f"{_LOOPBACK}:0"},
                },
            },
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"{_LOOPBACK}:{otlp}"}}}},
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
            "service": {
                "extensions": ["jaeger_storage", "jaeger_query"],
                "pipelines": {
                    "traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}
                },
                "telemetry": {"metrics": {"level": "none"}},
            },
        }
    )


def span_copy_config(endpoint: str) -> str:
    """Return an addition to the sidecar's configuration: export traces to one more endpoint."""
    exporter = "otlp_http/demo"
    return _yaml(
        {
            "exporters": {exporter: {"endpoint": endpoint}},
            "service": {"pipelines": {"traces": {"exporters": ["load_balancing", exporter]}}},
        }
    )


def _target(port: int) -> dict[str, list[str]]:
    return {"targets": [f"{_LOOPBACK}:{port}"]}


def _yaml(config: dict[str, Any]) -> str:
    return to_yaml(config, comment=_COMMENT)
