"""Series that rules record, as other rules read them."""

from __future__ import annotations

from collections.abc import Callable

from otel_meta.check.finding import Diagnostic
from otel_meta.check.promql.series_type import Vector, label_names, label_values
from otel_meta.check.promql.values import one_of

Diagnose = Callable[..., list[Diagnostic]]
Infer = Callable[..., Vector]

BASE = ("a:b:c", "sum by (route, method) (atlas_requests_total)", {"team": "red"})


class TestRecorded:
    def test_labels(self, infer: Infer) -> None:
        """A recording has its expression's labels and its own."""
        assert {"route", "method", "team"} == label_names(infer("a:b:c", BASE))

    def test_overridden(self, infer: Infer) -> None:
        """A rule's label wins over its expression's; an empty one takes it away."""
        rule = (BASE[0], BASE[1], {"route": "/all", "method": ""})

        assert {"route"} == label_names(infer("a:b:c", rule))
        assert one_of(["/all"]) == label_values(infer("a:b:c", rule), "route")

    def test_chain(self, infer: Infer) -> None:
        """Recordings of recordings are followed, in whatever order they stand."""
        chain = [("a:b:e", "max by (team) (a:b:d)"), ("a:b:d", "sum without (route) (a:b:c)"), BASE]

        assert {"team"} == label_names(infer("a:b:e", *chain))

    def test_circle(self, infer: Infer) -> None:
        """Of recordings that need each other nothing is known, and nothing refused."""
        circle = [("a:b:d", "a:b:c offset 1m"), ("a:b:c", "a:b:d + 1")]

        assert all(series.may_have("anything") for series in infer("a:b:d", *circle))

    def test_unreadable(self, diagnose: Diagnose) -> None:
        """A rule that cannot be parsed is reported itself; those that read it are left alone."""
        rule = ("a:b:c", "sum(", {"team": "red"})

        assert [] == diagnose('sum by (route) (a:b:c{team="red"})', rule)
        assert ["value"] == [p.kind for p in diagnose('a:b:c{team="rod"}', rule)]

    def test_said_once(self, diagnose: Diagnose) -> None:
        """What is wrong with a recording is not said of those that read it."""
        assert [] == diagnose("a:b:c", ("a:b:c", "nobody"))

    def test_many(self, infer: Infer) -> None:
        """So many rules of one name are read as one, and no label is lost."""
        rules = [("a:b:c", "vector(1)", {"slo": str(n)}) for n in range(100)]

        assert one_of(map(str, range(100))) == label_values(infer("a:b:c", *rules), "slo")

    def test_name_taken(self, diagnose: Diagnose) -> None:
        """A recording under a metric's name leaves the metric known."""
        rule = ("atlas_tiles", "vector(1)", {"team": "red"})

        assert [] == diagnose('atlas_tiles{layer="roads"} or atlas_tiles{team="red"}', rule)


def test_nobody(diagnose: Diagnose) -> None:
    """What nobody knows is not taken for empty: one mistake is one finding."""
    assert ["metric"] == [p.kind for p in diagnose('sum by (x) (nobody{a="b"}) / on (x) up')]
