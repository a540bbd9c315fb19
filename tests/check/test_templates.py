"""Labels that the texts of alerts show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_meta.check.finding import Problem

Problems = Callable[..., list[Problem]]
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
def test_right(text: str, problems: Problems) -> None:
    """Labels of the expression may be shown."""
    assert [] == problems(EXPR, texts={"summary": text})


@pytest.mark.parametrize("text", ["{{ $labels.rout }}", "{{.Labels.rout}} and {{$value}}"])
def test_wrong(text: str, problems: Problems) -> None:
    """A label that is not there would leave a gap."""
    (problem,) = problems(EXPR, texts={"summary": text})

    assert ("template", "route") == (problem.kind, problem.nearest)


def test_number(problems: Problems) -> None:
    """A number has no labels to show."""
    assert ["template"] == [p.kind for p in problems("vector(1)", texts={"a": "{{$labels.job}}"})]
