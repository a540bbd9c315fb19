from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from otel_meta import NoLabels, labels
from otel_meta.model.labels import labels_of
from otel_meta.runtime.recording.cardinality import CardinalityLimit


@labels
class Closed:
    method: Literal["GET", "POST"]
    error: Literal["timeout", "refused"] = ""


@labels
class Mixed:
    route: str
    method: Literal["GET", "POST"]


closed = st.tuples(
    st.sampled_from(["GET", "POST", "_OTHER"]),
    st.sampled_from(["", "timeout", "refused", "_OTHER"]),
)


class TestClosed:
    @given(st.lists(closed, unique=True), st.integers(1, 12))
    def test_reserved(self, series: list[tuple[str, str]], limit: int) -> None:
        """What was declared has its place, whatever came before it and however low the limit."""
        places = CardinalityLimit(labels_of(Closed), limit)

        refused = [values for values in series if not places.take(values)]

        assert [] == [values for values in refused if "_OTHER" not in values]

    @given(st.lists(closed, unique=True), st.integers(1, 12))
    def test_limit(self, series: list[tuple[str, str]], limit: int) -> None:
        """There are never more series than the limit says, which leaves room for all declared."""
        places = CardinalityLimit(labels_of(Closed), limit)

        assert max(limit, 6) == places.limit
        assert places.limit >= sum(places.take(s) for s in series)

    def test_others(self) -> None:
        """What was not declared has what is left."""
        places = CardinalityLimit(labels_of(Closed), 7)

        assert [True, False] == [places.take(("_OTHER", "")), places.take(("GET", "_OTHER"))]

    def test_no_labels(self) -> None:
        """A metric without labels has its one series."""
        assert CardinalityLimit(labels_of(NoLabels), 1).take(())


class TestOpen:
    def test_limit(self) -> None:
        """Where a label is open, series have places until there are none."""
        places = CardinalityLimit(labels_of(Mixed), 2)

        assert [True, True, False] == [places.take((route, "GET")) for route in "abc"]

    def test_give_back(self) -> None:
        """The place of a series that is gone is free for another."""
        places = CardinalityLimit(labels_of(Mixed), 1)
        places.take(("a", "GET"))
        places.release(("a", "GET"))

        assert [True, False] == [places.take((route, "GET")) for route in "bc"]
