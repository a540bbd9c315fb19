"""Joins that can match, and those that cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_meta.check.finding import Diagnostic
from otel_meta.check.promql.series_type import Vector, label_values
from otel_meta.check.promql.values import Values, one_of
from tests.check.own_labels import own_labels

Diagnose = Callable[..., list[Diagnostic]]
Infer = Callable[..., Vector]

HOUR = ("atlas:ratio:1h", "sum by (route) (atlas_requests_total)", {"slo": "a", "window": "1h"})
MINUTES = ("atlas:ratio:5m", "sum by (route) (atlas_requests_total)", {"slo": "a", "window": "5m"})
GOAL = ("atlas:goal:ratio", "vector(0.999)", {"slo": "a", "tier": "1"})
RULES = (HOUR, MINUTES, GOAL)


@pytest.mark.parametrize(
    "expr",
    [
        "atlas:ratio:1h and ignoring (window) atlas:ratio:5m",
        "atlas:ratio:1h and on (slo, route) atlas:ratio:5m",
        "atlas:ratio:1h and on () atlas:ratio:5m",
        "atlas:ratio:1h or atlas:ratio:5m",
        "atlas:ratio:1h / on (slo) group_left (tier) atlas:goal:ratio",
        "atlas:goal:ratio * on (slo) group_right (tier) atlas:ratio:1h",
        "atlas:goal:ratio / ignoring (tier, window, route) group_right atlas:ratio:1h",
        "max without (window) (atlas:ratio:1h) and max without (window) (atlas:ratio:5m)",
        "atlas:ratio:1h + fill (0) atlas:ratio:5m",
        "atlas:ratio:1h / atlas:ratio:1h",
        "atlas:ratio:1h / 2",
        "2 * atlas:ratio:1h",
        "sum(atlas:ratio:1h) / sum(atlas:ratio:5m)",
        'atlas_requests_total{error="x"} / ignoring (error) atlas_requests_total',
        "atlas_requests_total and on (job, instance) up",
        'atlas:ratio:1h and label_replace(atlas:ratio:5m, "window", "1h", "", "")',
        'atlas:ratio:1h and label_join(atlas:ratio:5m, "window", "", "slo")',
        "atlas_requests_total atan2 atlas_requests_total",
    ],
)
def test_sides_with_possibly_equal_labels_are_accepted(expr: str, diagnose: Diagnose) -> None:
    """Sides with possibly equal labels are accepted."""
    assert [] == diagnose(expr, *RULES)


@pytest.mark.parametrize(
    ("expr", "why"),
    [
        ("atlas:ratio:1h > 1 and atlas:ratio:5m > 1", 'window is "1h" on the left and "5m"'),
        ("atlas:ratio:1h unless atlas:ratio:5m", "add ignoring (window)"),
        ("atlas:ratio:1h / atlas:ratio:5m", 'window is "1h" on the left'),
        ("atlas:ratio:1h and on (window) atlas:ratio:5m", "leave it out of on"),
        ("atlas:ratio:1h / sum by (slo) (atlas:ratio:1h)", "route is present on the left and abs"),
        ("atlas:ratio:1h / on (slo, window) atlas:goal:ratio", "right side of the join has no"),
        ("atlas:ratio:1h + vector(1)", 'slo is "a" on the left and absent on the right'),
        (
            'atlas_requests_total{method="GET"} / atlas_requests_total{method="POST"}',
            'method is "GET" on the left and "POST" on the right; add ignoring (method)',
        ),
        ('absent(atlas_tiles{layer="roads"}) and atlas:goal:ratio', "layer is"),
        (
            'atlas:ratio:1h and label_replace(atlas:ratio:5m, "window", "6h", "", "")',
            'on the left and "6h" on the right',
        ),
    ],
)
def test_sides_with_different_label_values_are_reported_with_label(
    expr: str, why: str, diagnose: Diagnose
) -> None:
    """Sides with different label values are reported, with the label."""
    (diagnostic,) = diagnose(expr, *RULES)

    assert diagnostic.kind in {"join", "label"}
    assert why in diagnostic.message


@pytest.mark.parametrize(
    ("expr", "near"),
    [
        ("atlas:ratio:1h and on (slo, rout) atlas:ratio:5m", "route"),
        ("atlas:ratio:1h and ignoring (windo) atlas:ratio:1h", "window"),
        ("atlas:ratio:1h / on (slo) group_left (teir) atlas:goal:ratio", "tier"),
        ("atlas:goal:ratio / on (slo) group_right (teir) atlas:ratio:1h", "tier"),
    ],
)
def test_unknown_labels_in_join_are_reported_with_suggestion(
    expr: str, near: str, diagnose: Diagnose
) -> None:
    """Unknown labels in a join are reported with a suggestion."""
    found = diagnose(expr, *RULES)

    assert {("label", near)} == {(diagnostic.kind, diagnostic.suggestion) for diagnostic in found}


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        ("atlas:ratio:1h / on (slo) atlas:goal:ratio", {"slo"}),
        ("atlas:ratio:1h / ignoring (window) atlas:ratio:5m", {"slo", "route"}),
        (
            "atlas:ratio:1h / on (slo) group_left (tier) atlas:goal:ratio",
            {"slo", "route", "window", "tier"},
        ),
        (
            "atlas:goal:ratio / on (slo) group_right (tier) atlas:ratio:1h",
            {"slo", "route", "window", "tier"},
        ),
        ("atlas:ratio:1h and on (slo) atlas:goal:ratio", {"slo", "route", "window"}),
        ("atlas:ratio:1h unless on (slo) atlas:goal:ratio", {"slo", "route", "window"}),
        ("atlas:goal:ratio or atlas:ratio:1h", {"slo", "tier", "route", "window"}),
        ("atlas:ratio:1h > on (slo) group_left atlas:goal:ratio", {"slo", "route", "window"}),
    ],
)
def test_join_has_labels_of_its_result_in_prometheus(
    expr: str, labels: set[str], infer: Infer
) -> None:
    """A join has the labels of its result in Prometheus."""
    assert labels == own_labels(infer(expr, *RULES))


@pytest.mark.parametrize(
    ("expr", "window"),
    [
        ("atlas:ratio:1h or atlas:ratio:5m", one_of(["1h", "5m"])),
        ("(atlas:ratio:1h or atlas:ratio:5m) and on (window) atlas:ratio:5m", one_of(["5m"])),
    ],
)
def test_join_narrows_label_values_to_values_of_both_sides(
    expr: str, window: Values, infer: Infer
) -> None:
    """A join narrows label values to the values of both sides."""
    assert window == label_values(infer(expr, *RULES), "window")
