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
    error: Literal["timeout", "refused"] = ""  # type: ignore[assignment]  # may be outside


@labels
class Mixed:
    route: str
    method: Literal["GET", "POST"]


closed = st.tuples(
    st.sampled_from(["GET", "POST", "_OTHER"]),
    st.sampled_from(["", "timeout", "refused", "_OTHER"]),
)


def added(cardinality: CardinalityLimit, values: tuple[str, ...]) -> bool:
    """Count a new series; return False if it is above the limit."""
    if not cardinality.has_room(values):
        return False
    cardinality.free -= cardinality.cost(values)
    return True


class TestClosed:
    @given(st.lists(closed, unique=True), st.integers(1, 12))
    def test_declared_values_are_never_refused(
        self, series: list[tuple[str, str]], limit: int
    ) -> None:
        """Declared values are never refused, even after other values and under a low limit."""
        cardinality = CardinalityLimit(labels_of(Closed), limit)

        refused = [values for values in series if not added(cardinality, values)]

        assert [] == [values for values in refused if "_OTHER" not in values]

    @given(st.lists(closed, unique=True), st.integers(1, 12))
    def test_series_never_exceed_limit(self, series: list[tuple[str, str]], limit: int) -> None:
        """The series never exceed the limit, which covers at least all declared values."""
        cardinality = CardinalityLimit(labels_of(Closed), limit)

        assert max(limit, 6) == cardinality.limit
        assert cardinality.limit >= sum(added(cardinality, s) for s in series)

    def test_undeclared_values_share_rest_of_limit(self) -> None:
        """Undeclared values share the rest of the limit."""
        cardinality = CardinalityLimit(labels_of(Closed), 7)

        assert [True, False] == [
            added(cardinality, ("_OTHER", "")),
            added(cardinality, ("GET", "_OTHER")),
        ]

    def test_metric_without_labels_has_one_series(self) -> None:
        """A metric without labels has one series."""
        assert added(CardinalityLimit(labels_of(NoLabels), 1), ())


class TestOpen:
    def test_series_with_open_label_are_accepted_up_to_limit(self) -> None:
        """Series with an open label are accepted up to the limit."""
        cardinality = CardinalityLimit(labels_of(Mixed), 2)

        assert [True, True, False] == [added(cardinality, (route, "GET")) for route in "abc"]

    def test_removed_series_makes_new_one_possible(self) -> None:
        """A removed series makes a new one possible."""
        cardinality = CardinalityLimit(labels_of(Mixed), 1)
        added(cardinality, ("a", "GET"))
        cardinality.free += cardinality.cost(("a", "GET"))

        assert [True, False] == [added(cardinality, (route, "GET")) for route in "bc"]
