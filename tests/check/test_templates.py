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
def test_template_may_show_labels_of_expression(text: str, diagnose: Diagnose) -> None:
    """A template may show labels of the expression."""
    assert [] == diagnose(EXPR, texts={"summary": text})


@pytest.mark.parametrize("text", ["{{ $labels.rout }}", "{{.Labels.rout}} and {{$value}}"])
def test_missing_label_in_template_is_reported(text: str, diagnose: Diagnose) -> None:
    """A missing label in a template is reported."""
    (diagnostic,) = diagnose(EXPR, texts={"summary": text})

    assert ("template", "route") == (diagnostic.kind, diagnostic.suggestion)


def test_template_about_scalar_has_no_labels(diagnose: Diagnose) -> None:
    """A template about a scalar has no labels."""
    assert ["template"] == [p.kind for p in diagnose("vector(1)", texts={"a": "{{$labels.job}}"})]
