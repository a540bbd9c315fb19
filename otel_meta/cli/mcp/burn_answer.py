"""``explain_burn``: why an error budget burns, from the server of the fleet."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from otel_meta.cli.slo.explanation_source import AskedBurn, explanation
from otel_meta.cli.slo.option_values import moment, span
from otel_meta.errors import UsageError
from otel_meta.fleet.explain.explanation_json import ExplanationJson
from otel_meta.model.identity import SERVICE
from otel_meta.status.corrections_json import utc

from .slo_list import status_row
from .tool_answers import BadTrace, BurnAnswer, CausePart, FailureKind, ServiceTexts, TraceTexts
from .tool_sources import Sources

T = TypeVar("T")

_NO_EVENTS: Final = "No events in this time."
_NO_CAUSE: Final = "No label value stands out: every part fails alike, or there are few bad events."
_CAUSES: Final = "The first cause has the most evidence; the causes are views of the same events."


def burn_answer(
    sources: Sources, slo: str, *, service: str = "", over: str = "1h", at: str = ""
) -> BurnAnswer:
    """Return the explanation.

    Args:
        sources: the catalogue and the server.
        slo: the name of the SLO.
        service: the service; by default the one that burns fastest.
        over: the time that is explained.
        at: its end; by default now.

    Raises:
        UsageError: there is no such SLO, no server is named, or a time has another form.
        BackendError: the server cannot be asked, or has no recordings of the SLO.
    """
    asked = AskedBurn(
        slo=slo,
        services={SERVICE: service} if service else {},
        span=_read("over", span, over),
        at=_read("at", moment, at) if at else time.time(),
    )
    found = explanation(sources.project, sources.catalog, asked)
    return BurnAnswer(
        note=_note(found),
        status=status_row(found["status"]),
        span=found["span"],
        bad=found["bad"],
        total=found["total"],
        burning_since=None if found["burning_since"] is None else _utc(found["burning_since"]),
        causes=[
            CausePart.model_validate({**cause, "data_from_telemetry": cause["part"]})
            for cause in found["causes"]
        ],
        kinds=[
            FailureKind(bad=kind["bad"], data_from_telemetry=kind["labels"])
            for kind in found["kinds"]
        ],
        traces=[
            BadTrace(
                at=_utc(trace["at"]),
                value=trace["value"],
                data_from_telemetry=TraceTexts(trace_id=trace["trace_id"]),
            )
            for trace in found["traces"]
        ],
        data_from_telemetry=ServiceTexts(also_burning=found["also_burning"]),
    )


def _note(found: ExplanationJson) -> str:
    if not found["total"]:
        return _NO_EVENTS
    return _CAUSES if found["causes"] else _NO_CAUSE


def _read(argument: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise UsageError(f"{argument}: {error}") from error


def _utc(seconds: float) -> str:
    return utc(datetime.fromtimestamp(int(seconds), UTC))
