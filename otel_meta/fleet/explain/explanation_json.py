"""The explanation of a burn as plain values."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from otel_meta.status.status_json import StatusJson, status_json

from .causes import Cause
from .explanation import Explanation
from .failing_span import FailingSpan


class CauseJson(TypedDict):
    """A part of the service with excess bad events."""

    part: dict[str, str]
    bad: float
    total: float
    ratio: float
    excess: float
    share: float
    """The share of the bad events that the part explains."""


class TraceJson(TypedDict):
    """The trace of a bad event."""

    trace_id: str
    at: float
    value: float
    link: NotRequired[str]
    failing_span: NotRequired[FailingSpan]
    log_lines: NotRequired[list[str]]


class KindJson(TypedDict):
    """A way in which events fail."""

    labels: dict[str, str]
    bad: float


class ExplanationJson(TypedDict):
    """The explanation of a burn; null for what is not known."""

    status: StatusJson
    also_burning: list[str]
    span: str
    bad: float
    total: float
    burning_since: float | None
    causes: list[CauseJson]
    of_all_bad: dict[str, str]
    """The label values that all bad events have, where no part is a cause."""
    kinds: list[KindJson]
    traces: list[TraceJson]


def explanation_json(explanation: Explanation) -> ExplanationJson:
    """Return the plain values of an explanation."""
    return {
        "status": status_json(explanation.status),
        "also_burning": [each.service.get("service_name", "") for each in explanation.also_burning],
        "span": str(explanation.span),
        "bad": explanation.events.bad,
        "total": explanation.events.total,
        "burning_since": explanation.since,
        "causes": [_cause(cause) for cause in explanation.causes],
        "of_all_bad": dict(explanation.of_all_bad),
        "kinds": [{"labels": dict(part), "bad": bad} for part, bad in explanation.kinds.items()],
        "traces": [
            {"trace_id": each.labels["trace_id"], "at": each.at, "value": each.value}
            for each in explanation.exemplars
        ],
    }


def _cause(cause: Cause) -> CauseJson:
    return {
        "part": dict(cause.part),
        "bad": cause.events.bad,
        "total": cause.events.total,
        "ratio": cause.ratio,
        "excess": cause.excess,
        "share": cause.share,
    }
