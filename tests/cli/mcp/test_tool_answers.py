"""Text from telemetry in answers: one bounded line, whatever its authors wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from otel_meta.cli.mcp.tool_answers import (
    CausePart,
    CorrectionTexts,
    FleetTexts,
    ServiceTexts,
    StatusTexts,
    TraceTexts,
)

HOSTILE = [
    "a\nb\r\nc\u2028d",
    "\x1b[2Ja\x07",
    "a\u200bb\u202ec\ufeff",
    "a\U000e0041\U000e0042",
    "a\x00b\x9b",
    "long " * 2000,
]
CORRECTION = {"begin": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
CAUSE = {"bad": 1, "total": 2, "ratio": 0.5, "excess": 1, "share": 1}


def texts(answer: Any) -> Iterator[str]:
    """Yield every text and every key of an answer."""
    if isinstance(answer, dict):
        yield from answer
        answer = [*answer.values()]
    for value in answer if isinstance(answer, list) else ():
        yield from texts(value)
    if isinstance(answer, str):
        yield answer


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_every_text_is_one_bounded_line(text: str) -> None:
    """Labels, alerts, notes, reasons, services and trace ids are bounded printable lines."""
    correction = {
        **CORRECTION,
        "kind": text,
        "reason": text,
        "slos": [text],
        "service": {"a": text},
    }
    answers = (
        StatusTexts.model_validate(
            {"service": {text: text}, "firing": [{"name": text, "severity": text}]}
        ),
        CausePart.model_validate({**CAUSE, "data_from_telemetry": {text: text}}),
        FleetTexts.model_validate({"notes": [text], "corrections": [correction]}),
        ServiceTexts(also_burning=[text]),
        TraceTexts(trace_id=text),
    )
    found = [each for answer in answers for each in texts(answer.model_dump())]

    assert text not in found
    assert all(each.isprintable() and len(each) <= 201 for each in found)


def test_lists_and_labels_are_bounded() -> None:
    """At most 40 notes, corrections, alerts and labels are shown."""
    correction = {**CORRECTION, "kind": "k", "reason": "r", "slos": [], "service": {}}
    fleet = FleetTexts(
        notes=["n"] * 99, corrections=[CorrectionTexts.model_validate(correction)] * 99
    )
    status = StatusTexts.model_validate(
        {
            "service": {f"l{number}": "v" for number in range(99)},
            "firing": [{"name": "a", "severity": "page"}] * 99,
        }
    )

    assert [40] * 4 == [
        len(fleet.notes),
        len(fleet.corrections),
        len(status.service),
        len(status.firing),
    ]
