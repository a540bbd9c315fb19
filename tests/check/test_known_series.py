"""Series that rules record, as other rules read them."""

from __future__ import annotations

from collections.abc import Callable

from otel_meta.check.finding import Diagnostic
from otel_meta.check.promql.series_type import Vector, label_values
from otel_meta.check.promql.values import one_of
from tests.check.own_labels import own_labels

Diagnose = Callable[..., list[Diagnostic]]
Infer = Callable[..., Vector]

BASE = ("a:b:c", "sum by (route, method) (atlas_requests_total)", {"team": "red"})


class TestRecorded:
    def test_recording_has_labels_of_its_expression_and_of_its_rule(self, infer: Infer) -> None:
        """A recording has the labels of its expression and of its rule."""
        assert {"route", "method", "team"} == own_labels(infer("a:b:c", BASE))

    def test_label_of_rule_replaces_label_of_expression(self, infer: Infer) -> None:
        """A label of the rule replaces a label of the expression."""
        rule = (BASE[0], BASE[1], {"route": "/all", "method": ""})

        assert {"route"} == own_labels(infer("a:b:c", rule))
        assert one_of(["/all"]) == label_values(infer("a:b:c", rule), "route")

    def test_recordings_of_recordings_are_followed_in_any_order(self, infer: Infer) -> None:
        """Recordings of recordings are followed in any order."""
        chain = [("a:b:e", "max by (team) (a:b:d)"), ("a:b:d", "sum without (route) (a:b:c)"), BASE]

        assert {"team"} == own_labels(infer("a:b:e", *chain))

    def test_recordings_that_read_each_other_may_have_any_label(self, infer: Infer) -> None:
        """Recordings that read each other may have any label."""
        circle = [("a:b:d", "a:b:c offset 1m"), ("a:b:c", "a:b:d + 1")]

        assert all(series.may_have("anything") for series in infer("a:b:d", *circle))

    def test_rules_that_read_invalid_rule_are_accepted(self, diagnose: Diagnose) -> None:
        """Rules that read an invalid rule are accepted."""
        rule = ("a:b:c", "sum(", {"team": "red"})

        assert [] == diagnose('sum by (route) (a:b:c{team="red"})', rule)
        assert ["value"] == [p.kind for p in diagnose('a:b:c{team="rod"}', rule)]

    def test_mistake_in_recording_is_not_reported_for_its_readers(self, diagnose: Diagnose) -> None:
        """A mistake in a recording is not reported for its readers."""
        assert [] == diagnose("a:b:c", ("a:b:c", "nobody"))

    def test_many_rules_of_one_name_lose_no_label_value(self, infer: Infer) -> None:
        """Many rules of one name lose no label value."""
        rules = [("a:b:c", "vector(1)", {"slo": str(n)}) for n in range(100)]

        assert one_of(map(str, range(100))) == label_values(infer("a:b:c", *rules), "slo")

    def test_recording_with_metrics_name_keeps_metric_known(self, diagnose: Diagnose) -> None:
        """A recording with a metric's name keeps the metric known."""
        rule = ("atlas_tiles", "vector(1)", {"team": "red"})

        assert [] == diagnose('atlas_tiles{layer="roads"} or atlas_tiles{team="red"}', rule)


def test_unknown_series_causes_one_finding(diagnose: Diagnose) -> None:
    """An unknown series causes one finding."""
    assert ["metric"] == [p.kind for p in diagnose('sum by (x) (nobody{a="b"}) / on (x) up')]
