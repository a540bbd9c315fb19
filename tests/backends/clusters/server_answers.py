"""Answers of Alertmanager and of query APIs, as tests of clusters read them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from otel_meta.testing.servers import Backend
from tests.backends.alerting_servers import Sample
from tests.rules.prometheus_server import fetch


def active_alerts(alertmanager: Backend, name: str) -> list[Mapping[str, str]]:
    """Return the labels of the alerts of a name that Alertmanager has now."""
    alerts = json.loads(fetch(f"{alertmanager.url}/api/v2/alerts"))
    return [alert["labels"] for alert in alerts if alert["labels"]["alertname"] == name]


def parsed(answer: bytes) -> list[Sample]:
    """Return the series of an instant query."""
    result = json.loads(answer)["data"]["result"]
    return [Sample(series["metric"], float(series["value"][1])) for series in result]
