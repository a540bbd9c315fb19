"""Labels that the texts of alerts show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_meta.check.finding import Diagnostic

Diagnose = Callable[..., list[Diagnostic]]
EXPR = "sum by (route) (rate(atlas_requests_total[5m])) > 1"


@pytest.mark.parametrize(
    "text",
    [
        "{{ $labels.route }} is slow",
        "{{ .Labels.route }}",
        "{{ $value }}",
        "labels.method",
        "$labels",
    ],
)
def test_right(text: str, diagnose: Diagnose) -> None:
    """Labels of the expression may be shown."""
    assert [] == diagnose(EXPR, texts={"summary": text})


@pytest.mark.parametrize("text", ["{{ $labels.rout }}", "{{.Labels.rout}} and {{$value}}"])
def test_wrong(text: str, diagnose: Diagnose) -> None:
    """A label that is not there would leave a gap."""
    (diagnostic,) = diagnose(EXPR, texts={"summary": text})

    assert ("template", "route") == (diagnostic.kind, diagnostic.suggestion)


def test_number(diagnose: Diagnose) -> None:
    """A number has no labels to show."""
    assert ["template"] == [p.kind for p in diagnose("vector(1)", texts={"a": "{{$labels.job}}"})]
