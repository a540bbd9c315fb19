"""Grafana's provisioning files: data sources, and the folder of dashboards."""

from __future__ import annotations

from typing import Any, Final

from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.header import generated_from
from otel_meta.render.hosts import (
    ALERTMANAGER,
    DASHBOARDS_DIR,
    JAEGER,
    PROMETHEUS,
    SCRAPE_INTERVAL,
    Host,
)

_COMMENT: Final = generated_from("otel_meta/render/stack/grafana_provisioning.py")


def datasources_file() -> str:
    """Return the file of the data sources: Prometheus, Jaeger and Alertmanager."""
    sources = [
        _source(
            "Prometheus",
            "prometheus",
            PROMETHEUS,
            isDefault=True,
            jsonData={
                "httpMethod": "POST",
                "prometheusType": "Prometheus",
                **comment("The scrape interval: the smallest useful step of a query."),
                "timeInterval": SCRAPE_INTERVAL,
                **comment("A click on an exemplar opens its trace."),
                "exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": "jaeger"}],
            },
        ),
        _source("Jaeger", "jaeger", JAEGER),
        _source(
            "Alertmanager",
            "alertmanager",
            ALERTMANAGER,
            jsonData={"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
        ),
    ]
    return to_yaml({"apiVersion": 1, "datasources": sources}, comment=_COMMENT)


def dashboards_file() -> str:
    """Return the file of the dashboards' folder, whose dashboards cannot be edited in Grafana."""
    provider = {
        "name": "otel-meta",
        "folder": "otel_meta",
        "type": "file",
        "allowUiUpdates": False,
        "disableDeletion": True,
        "options": {"path": DASHBOARDS_DIR},
    }
    return to_yaml({"apiVersion": 1, "providers": [provider]}, comment=_COMMENT)


def _source(name: str, kind: str, host: Host, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "uid": kind,
        "type": kind,
        "access": "proxy",
        "url": host.url,
        "editable": False,
        **fields,
    }
