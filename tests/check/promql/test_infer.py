"""The labels that expressions give, and functions put to the wrong kind of series."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_meta.check.finding import Diagnostic
from otel_meta.check.foreign_series import EXTERNAL_LABELS, TARGET_LABELS
from otel_meta.check.promql.series_type import Vector, label_names, label_values
from otel_meta.check.promql.values import ANY, Values, one_of

Diagnose = Callable[..., list[Diagnostic]]
Infer = Callable[..., Vector]

SERIES = {
    *("service_name", "service_namespace", "otel_metric_overflow"),
    *TARGET_LABELS,
    *EXTERNAL_LABELS,
}
ALL = {*SERIES, "route", "method", "error"}


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        ("atlas_requests_total", ALL),
        ("atlas_latency_seconds_bucket", {*ALL, "le"}),
        ("atlas_tiles", {*SERIES, "layer"}),
        ("rate(atlas_requests_total[5m])", ALL),
        ("max_over_time(rate(atlas_requests_total[5m])[1h:])", ALL),
        ("-atlas_tiles", {*SERIES, "layer"}),
        ("sum(atlas_requests_total)", set()),
        ("sum by (route) (atlas_requests_total)", {"route"}),
        ("sum without (route) (atlas_requests_total)", ALL - {"route"}),
        ("topk by (route) (3, atlas_requests_total)", ALL),
        ("bottomk(3, atlas_requests_total)", ALL),
        ("quantile by (route) (0.9, atlas_requests_total)", {"route"}),
        ('count_values("v", atlas_tiles)', {"v"}),
        ('count_values by (layer) ("v", atlas_tiles)', {"v", "layer"}),
        ("histogram_quantile(0.9, rate(atlas_latency_seconds_bucket[5m]))", ALL),
        ("vector(1)", set()),
        ("vector(scalar(sum(atlas_tiles)))", set()),
        ("hour()", set()),
        ('absent(atlas_tiles{layer="roads",job!="x"})', {"layer"}),
        ('absent_over_time(atlas_tiles{layer="roads"}[5m])', {"layer"}),
        ("absent(sum(atlas_tiles))", set()),
        ('label_replace(atlas_tiles, "new", "x", "layer", "r.*")', {*SERIES, "layer", "new"}),
        ('label_join(atlas_tiles, "new", "-", "layer", "job")', {*SERIES, "layer", "new"}),
        ("sort_desc(atlas_tiles)", {*SERIES, "layer"}),
        ("atlas_tiles > 1", {*SERIES, "layer"}),
        ("1 < bool atlas_tiles", {*SERIES, "layer"}),
        ("1 + 1", set()),
        ("time()", set()),
    ],
)
def test_expression_has_labels_of_its_result_in_prometheus(
    expr: str, labels: set[str], infer: Infer
) -> None:
    """An expression has the labels of its result in Prometheus."""
    assert labels == {label for series in infer(expr) for label in label_names((series,))}


@pytest.mark.parametrize(
    ("expr", "layer"),
    [
        ('atlas_tiles{layer="roads"}', one_of(["roads"])),
        ('atlas_tiles{layer!="roads"}', one_of(["rivers", "_OTHER"])),
        ('atlas_tiles{layer=~"r.*"}', one_of(["roads", "rivers"])),
        ('atlas_tiles{layer!~"r.*"}', one_of(["_OTHER"])),
        ('sum by (layer) (atlas_tiles{layer="roads"})', one_of(["roads"])),
        ('label_replace(atlas_tiles, "layer", "x", "", "")', one_of(["x"])),
        ('label_replace(atlas_tiles, "layer", "x", "job", ".*")', one_of(["x"])),
        (
            'label_replace(atlas_tiles{layer="roads"}, "layer", "x", "job", "a")',
            one_of(["x", "roads"]),
        ),
        ('label_replace(atlas_tiles, "layer", "$1", "job", "(.*)")', ANY),
    ],
)
def test_label_values_follow_from_selectors_and_functions(
    expr: str, layer: Values, infer: Infer
) -> None:
    """Label values follow from selectors and functions."""
    assert layer == label_values(infer(expr), "layer")


def test_any_label_is_accepted_after_info(infer: Infer) -> None:
    """Any label is accepted after `info`."""
    (series,) = infer('info(atlas_tiles, {cluster=~".+"})')

    assert series.may_have("k8s_cluster_name")


@pytest.mark.parametrize(
    ("expr", "near"),
    [
        ("sum by (rout) (atlas_requests_total)", "route"),
        ("sum without (rout) (atlas_requests_total)", "route"),
        ("topk by (rout) (3, atlas_requests_total)", "route"),
        ("sum by (route) (sum by (method) (atlas_requests_total))", ""),
        ('label_replace(atlas_tiles, "a", "$1", "layr", "(.*)")', "layer"),
        ('label_join(atlas_tiles, "a", "", "layr")', "layer"),
        ('sort_by_label(atlas_tiles, "layr")', "layer"),
        ("histogram_quantile(0.9, sum by (method) (rate(atlas_latency_seconds_bucket[5m])))", ""),
        ("scalar(sum by (layr) (atlas_tiles))", "layer"),
        ("topk(scalar(sum by (layr) (atlas_tiles)), up)", "layer"),
    ],
)
def test_unknown_label_is_reported_with_suggestion(
    expr: str, near: str, diagnose: Diagnose
) -> None:
    """An unknown label is reported with a suggestion."""
    (diagnostic,) = diagnose(expr)

    assert ("label", near) == (diagnostic.kind, diagnostic.suggestion)


@pytest.mark.parametrize(
    "expr",
    [
        "rate(atlas_tiles[5m])",
        "irate(atlas_tiles[5m])",
        "increase(atlas_tiles[5m])",
        "resets(atlas_tiles[5m])",
        "rate(sum(atlas_tiles)[5m:1m])",
        "increase(atlas:ratio:1h[5m])",
    ],
)
def test_rate_of_gauge_is_reported(expr: str, diagnose: Diagnose) -> None:
    """The rate of a gauge is reported."""
    (diagnostic,) = diagnose(expr, ("atlas:ratio:1h", "avg_over_time(atlas_tiles[1h])"))

    assert "function" == diagnostic.kind
    assert "which is a gauge; take delta() or deriv()" in diagnostic.message


@pytest.mark.parametrize(
    "expr",
    [
        "avg_over_time(atlas_requests_total[5m])",
        "max_over_time(atlas_latency_seconds_count[5m])",
        "deriv(atlas_requests_total[5m])",
        "delta(atlas_latency_seconds_sum[5m])",
        "quantile_over_time(0.9, atlas_requests_total[5m])",
        "avg_over_time(sum by (route) (atlas_requests_total)[5m:1m])",
        "predict_linear(sort(atlas_requests_total)[1h:], 60)",
    ],
)
def test_average_of_counter_is_reported(expr: str, diagnose: Diagnose) -> None:
    """The average of a counter is reported."""
    (diagnostic,) = diagnose(expr)

    assert "function" == diagnostic.kind
    assert "which is a counter; take rate() or increase() of it first" in diagnostic.message


@pytest.mark.parametrize(
    "expr",
    [
        "rate(atlas_requests_total[5m])",
        "avg_over_time(atlas_tiles[5m])",
        "max_over_time(rate(atlas_requests_total[5m])[1h:])",
        "sum_over_time((atlas_tiles > bool 1)[5m:30s])",
        "sum_over_time((atlas_requests_total > bool 1)[5m:30s])",
        "avg_over_time(count(atlas_requests_total)[5m:])",
        "last_over_time(atlas_requests_total[5m])",
        "count_over_time(atlas_requests_total[5m])",
        "changes(atlas_requests_total[5m])",
    ],
)
def test_functions_accept_their_metric_types(expr: str, diagnose: Diagnose) -> None:
    """Functions accept the metric types that they are made for."""
    assert [] == diagnose(expr)
