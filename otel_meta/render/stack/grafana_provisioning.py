"""Grafana's provisioning: where data comes from, and which dashboards there are."""

from __future__ import annotations

from typing import Any, Final

from otel_meta.render._yaml import note, to_yaml
from otel_meta.render.header import generated_from

from .hosts import ALERTMANAGER, DASHBOARDS, JAEGER, PROMETHEUS, SCRAPE_INTERVAL, Place

_COMMENT: Final = generated_from("otel_meta/render/stack/grafana_provisioning.py")


def datasources_file() -> str:
    """Prometheus, Jaeger and Alertmanager."""
    sources = [
        _source(
            "Prometheus",
            "prometheus",
            PROMETHEUS,
            isDefault=True,
            jsonData={
                "httpMethod": "POST",
                "prometheusType": "Prometheus",
                **note("The scrape interval, below which there is nothing to see."),
                "timeInterval": SCRAPE_INTERVAL,
                **note("A dot of an exemplar leads to its trace."),
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
    """Those in dashboards/, which nobody changes by hand."""
    provider = {
        "name": "otel-meta",
        "folder": "otel_meta",
        "type": "file",
        "allowUiUpdates": False,
        "disableDeletion": True,
        "options": {"path": DASHBOARDS},
    }
    return to_yaml({"apiVersion": 1, "providers": [provider]}, comment=_COMMENT)


def _source(name: str, kind: str, place: Place, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "uid": kind,
        "type": kind,
        "access": "proxy",
        "url": place.url,
        "editable": False,
        **more,
    }
