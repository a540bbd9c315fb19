"""Prometheus' configuration: what is scraped, which rules are loaded, and who is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_meta.render._yaml import note, to_yaml
from otel_meta.render.collector.env_variables import (
    GATEWAY_SELF_METRICS_PORT,
    METRICS_PORT,
    SELF_METRICS_PORT,
)
from otel_meta.render.header import generated_from
from otel_meta.render.rules.intervals import EVALUATION_INTERVAL

from .hosts import ALERTMANAGER, GATEWAYS, PROMETHEUS, SCRAPE_INTERVAL, SCRAPED, WITH_SIDECAR

ARGUMENTS: Final = (
    "--storage.tsdb.path=/prometheus",
    "--storage.tsdb.retention.time=35d",
    "--enable-feature=exemplar-storage",
    "--web.enable-otlp-receiver",
)
"""Kept for longer than the longest period of an SLO, which is 30 days."""

_COMMENT: Final = generated_from("otel_meta/render/stack/prometheus_config.py")
_SERVICE_HOSTS: Final = tuple(place.host for place in WITH_SIDECAR)


def prometheus_file() -> str:
    """The file."""
    config = {
        "global": {
            "scrape_interval": SCRAPE_INTERVAL,
            "evaluation_interval": str(EVALUATION_INTERVAL),
        },
        "rule_files": ["../rules/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [_targets([str(ALERTMANAGER)])]}]},
        "scrape_configs": [_sidecars(), _services(), _collectors(), _itself()],
        "otlp": _otlp(),
        "storage": {
            **note("Exports over OTLP come late after an outage, and are taken all the same."),
            "tsdb": {"out_of_order_time_window": "30m"},
            "exemplars": {"max_exemplars": 100_000},
        },
    }
    return to_yaml(config, comment=_COMMENT)


def _sidecars() -> dict[str, Any]:
    return {
        "job_name": "sidecars",
        **note("job and instance say which service it is, not which sidecar."),
        "honor_labels": True,
        "static_configs": [_targets(f"{host}:{METRICS_PORT.default}" for host in _SERVICE_HOSTS)],
    }


def _services() -> dict[str, Any]:
    return {
        "job_name": "services",
        **note("Those without a sidecar: /metrics of the application itself."),
        "static_configs": [_targets(map(str, SCRAPED))],
    }


def _collectors() -> dict[str, Any]:
    sidecars = (f"{host}:{SELF_METRICS_PORT.default}" for host in _SERVICE_HOSTS)
    gateways = (f"{host}:{GATEWAY_SELF_METRICS_PORT.default}" for host in GATEWAYS)
    return {
        "job_name": "collectors",
        "static_configs": [_targets([*sidecars, *gateways])],
    }


def _itself() -> dict[str, Any]:
    return {
        "job_name": "monitoring",
        "static_configs": [_targets([str(PROMETHEUS), str(ALERTMANAGER)])],
    }


def _otlp() -> dict[str, Any]:
    """What is pushed to /api/v1/otlp gets the names and labels that scraping gives it."""
    return {
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "promote_resource_attributes": ["service.namespace", "service.name"],
    }


def _targets(addresses: Iterable[str]) -> dict[str, list[str]]:
    return {"targets": list(addresses)}
