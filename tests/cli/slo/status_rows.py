"""Statuses as plain values, for tests."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_meta import Counter, Duration, NoLabels, Slo
from otel_meta.status.events import Events
from otel_meta.status.status import Burn, BurnDownPoint, Status
from otel_meta.status.status_json import StatusJson, status_json

_SLO: Final = Slo(
    "titan-service-availability",
    objective="99.9%",
    period="30d",
    sli=Counter("acme.calls", "Calls.", NoLabels).ratio(
        bad=Counter("acme.failures", "Failures.", NoLabels)
    ),
    why="A failing service takes its callers down.",
)
_BURN_RATES: Final = {"5m": 0.0, "30m": 1.2, "1h": 0.6}


def status_row(name_of_service: str = "payments", **different: Any) -> StatusJson:
    """Return the status of an SLO that is met; keyword arguments replace values."""
    repo = "titan-microservices-mesh"
    status = Status(
        slo=_SLO,
        repo=repo,
        service={"service_namespace": repo, "service_name": name_of_service},
        events=Events(1.0, 2000.0),
        burns={Duration(span): Burn(rate, 0.0) for span, rate in _BURN_RATES.items()},
        covered=_SLO.period.seconds,
        burn_down=(BurnDownPoint(120, 1.0), BurnDownPoint(60, 0.75), BurnDownPoint(0, 0.5)),
    )
    return cast("StatusJson", {**status_json(status), **different})
