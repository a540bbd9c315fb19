"""Statuses as plain values, for tests."""

from __future__ import annotations

from typing import Any, cast

from otel_meta.status.status_json import StatusJson


def status_row(name_of_service: str = "payments", **different: Any) -> StatusJson:
    """Return the status of an SLO that is met; keyword arguments replace values."""
    row: dict[str, Any] = {
        "name": "titan-service-availability",
        "repo": "titan-microservices-mesh",
        "owner": "service-mesh",
        "service": {
            "service_namespace": "titan-microservices-mesh",
            "service_name": name_of_service,
        },
        "state": "ok",
        "objective": "99.9%",
        "period": "30d",
        "why": "A failing service takes its callers down.",
        "good_event": "duration <= 0.1",
        "sli": 0.9995,
        "unit": "events",
        "noun": "requests",
        "good": 1999.0,
        "bad": 1.0,
        "total": 2000.0,
        "excluded_bad": 0.0,
        "excluded_total": 0.0,
        "budget_left": 0.5,
        "burn_rates": {"5m": 0.0, "30m": 1.2, "1h": 0.6},
        "burning": [],
        "firing": [],
        "exhausted_in_seconds": None,
        "covered_seconds": 2_592_000.0,
        "coverage": 1.0,
        "burn_down": [(120.0, 1.0), (60.0, 0.75), (0.0, 0.5)],
        **different,
    }
    return cast("StatusJson", row)
