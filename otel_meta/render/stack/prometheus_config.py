"""Prometheus' configuration: scrape targets, rule files, Alertmanager and the OTLP receiver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_meta.model.identity import DEFAULT, Identity
from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.collector.env_variables import (
    GATEWAY_SELF_METRICS_PORT,
    METRICS_PORT,
    SELF_METRICS_PORT,
)
from otel_meta.render.header import generated_from
from otel_meta.render.hosts import (
    ALERTMANAGER,
    GATEWAYS,
    PROMETHEUS,
    SCRAPE_INTERVAL,
    SERVICES_WITH_SIDECAR,
    SERVICES_WITHOUT_SIDECAR,
)
from otel_meta.render.rules.intervals import EVALUATION_INTERVAL

ARGUMENTS: Final = (
    "--storage.tsdb.path=/prometheus",
    "--storage.tsdb.retention.time=35d",
    "--enable-feature=exemplar-storage",
    "--web.enable-otlp-receiver",
)
"""Command-line options. Samples are kept for longer than the longest SLO period, 30 days."""

_COMMENT: Final = generated_from("otel_meta/render/stack/prometheus_config.py")
_SIDECAR_NAMES: Final = tuple(host.name for host in SERVICES_WITH_SIDECAR)


def prometheus_file(identity: Identity = DEFAULT) -> str:
    """Return the text of prometheus.yml."""
    config = {
        "global": {
            "scrape_interval": SCRAPE_INTERVAL,
            "evaluation_interval": str(EVALUATION_INTERVAL),
        },
        "rule_files": ["../rules/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [_targets([str(ALERTMANAGER)])]}]},
        "scrape_configs": [_sidecars(), _services(), _collectors(), _monitoring()],
        "otlp": _otlp(identity),
        "storage": {
            **comment("After an outage, OTLP exports arrive late; Prometheus still accepts them."),
            "tsdb": {"out_of_order_time_window": "30m"},
            "exemplars": {"max_exemplars": 100_000},
        },
    }
    return to_yaml(config, comment=_COMMENT)


def _sidecars() -> dict[str, Any]:
    return {
        "job_name": "sidecars",
        **comment("job and instance are labels of the service, not of the sidecar."),
        "honor_labels": True,
        "static_configs": [_targets(f"{name}:{METRICS_PORT.default}" for name in _SIDECAR_NAMES)],
    }


def _services() -> dict[str, Any]:
    return {
        "job_name": "services",
        **comment("Services without a sidecar: /metrics of the application itself."),
        "static_configs": [_targets(map(str, SERVICES_WITHOUT_SIDECAR))],
    }


def _collectors() -> dict[str, Any]:
    sidecars = (f"{name}:{SELF_METRICS_PORT.default}" for name in _SIDECAR_NAMES)
    gateways = (f"{name}:{GATEWAY_SELF_METRICS_PORT.default}" for name in GATEWAYS)
    return {
        "job_name": "collectors",
        "static_configs": [_targets([*sidecars, *gateways])],
    }


def _monitoring() -> dict[str, Any]:
    return {
        "job_name": "monitoring",
        "static_configs": [_targets([str(PROMETHEUS), str(ALERTMANAGER)])],
    }


def _otlp(identity: Identity) -> dict[str, Any]:
    """Give series pushed to /api/v1/otlp the same names and labels as scraped series."""
    return {
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "promote_resource_attributes": [*identity.attributes],
    }


def _targets(addresses: Iterable[str]) -> dict[str, list[str]]:
    return {"targets": list(addresses)}
