"""Corrections as plain values: the list that pages, tables and ``--json`` show."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypedDict

from otel_meta.model.slo.correction import Correction


class CorrectionJson(TypedDict):
    """A time whose events are excluded."""

    begin: str
    end: str
    reason: str
    kind: str
    slos: list[str]
    """Empty for all SLOs."""
    service: dict[str, str]
    """Empty for all services."""


def corrections_json(corrections: Iterable[Correction]) -> list[CorrectionJson]:
    """Return the plain values of corrections, the latest first."""
    latest = sorted(corrections, key=lambda each: (each.begin, each.end), reverse=True)
    return [
        {
            "begin": utc(each.begin),
            "end": utc(each.end),
            "reason": each.reason,
            "kind": each.kind,
            "slos": list(each.slos),
            "service": dict(each.service),
        }
        for each in latest
    ]


def utc(moment: datetime) -> str:
    """Return a time in UTC, as 2026-11-20T10:00:00Z."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
