"""Series that rules record, as other rules read them."""

from __future__ import annotations

from collections.abc import Callable

from otel_meta.check.finding import Problem
from otel_meta.check.promql.shape import Vector, names, values
from otel_meta.check.promql.values import one_of

Problems = Callable[..., list[Problem]]
Infer = Callable[..., Vector]

BASE = ("a:b:c", "sum by (route, method) (atlas_requests_total)", {"team": "red"})


class TestRecorded:
    def test_labels(self, infer: Infer) -> None:
        """A recording has its expression's labels and its own."""
        assert {"route", "method", "team"} == names(infer("a:b:c", BASE))

    def test_overridden(self, infer: Infer) -> None:
        """A rule's label wins over its expression's; an empty one takes it away."""
        rule = (BASE[0], BASE[1], {"route": "/all", "method": ""})

        assert {"route"} == names(infer("a:b:c", rule))
        assert one_of(["/all"]) == values(infer("a:b:c", rule), "route")

    def test_chain(self, infer: Infer) -> None:
        """Recordings of recordings are followed, in whatever order they stand."""
        chain = [("a:b:e", "max by (team) (a:b:d)"), ("a:b:d", "sum without (route) (a:b:c)"), BASE]

        assert {"team"} == names(infer("a:b:e", *chain))

    def test_circle(self, infer: Infer) -> None:
        """Of recordings that need each other nothing is known, and nothing refused."""
        circle = [("a:b:d", "a:b:c offset 1m"), ("a:b:c", "a:b:d + 1")]

        assert all(shape.has("anything") for shape in infer("a:b:d", *circle))

    def test_unreadable(self, problems: Problems) -> None:
        """A rule that cannot be parsed is reported itself; those that read it are left alone."""
        rule = ("a:b:c", "sum(", {"team": "red"})

        assert [] == problems('sum by (route) (a:b:c{team="red"})', rule)
        assert ["value"] == [p.kind for p in problems('a:b:c{team="rod"}', rule)]

    def test_said_once(self, problems: Problems) -> None:
        """What is wrong with a recording is not said of those that read it."""
        assert [] == problems("a:b:c", ("a:b:c", "nobody"))

    def test_many(self, infer: Infer) -> None:
        """So many rules of one name are read as one, and no label is lost."""
        rules = [("a:b:c", "vector(1)", {"slo": str(n)}) for n in range(100)]

        assert one_of(map(str, range(100))) == values(infer("a:b:c", *rules), "slo")

    def test_name_taken(self, problems: Problems) -> None:
        """A recording under a metric's name leaves the metric known."""
        rule = ("atlas_tiles", "vector(1)", {"team": "red"})

        assert [] == problems('atlas_tiles{layer="roads"} or atlas_tiles{team="red"}', rule)


def test_nobody(problems: Problems) -> None:
    """What nobody knows is not taken for empty: one mistake is one finding."""
    assert ["metric"] == [p.kind for p in problems('sum by (x) (nobody{a="b"}) / on (x) up')]
