"""Statuses of SLOs as plain values, in every state."""

from __future__ import annotations

from typing import Any

from otel_meta.status.status_json import StatusJson

_OK: StatusJson = {
    "name": "",
    "repo": "acme",
    "owner": "us",
    "service": {"service_name": "shop"},
    "state": "ok",
    "objective": "99.9%",
    "period": "30d",
    "why": "Callers wait.",
    "good_event": "acme_duration_seconds <= 0.1",
    "sli": 0.99999,
    "unit": "events",
    "noun": "requests",
    "good": 14_987.0,
    "bad": 13.0,
    "total": 15_000.0,
    "excluded_bad": 0.0,
    "excluded_total": 0.0,
    "budget_left": 0.62,
    "burn_rates": {"5m": 0.0, "1h": 0.4, "6h": 0.5, "3d": 0.6},
    "burning": [],
    "firing": [],
    "exhausted_in_seconds": None,
    "covered_seconds": 2_592_000.0,
    "coverage": 1.0,
    "required_coverage": 0.25,
    "burn_down": [],
}


def row(name: str, **values: Any) -> StatusJson:
    """Return a status that is ok, apart from these values."""
    changed: Any = {**_OK, "name": name, **values}
    status: StatusJson = changed
    return status
