from __future__ import annotations

from enum import Enum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import labels
from otel_meta.model import Counter
from otel_meta.model.labels import labels_of
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.label_values import LabelValues
from otel_meta.runtime.recording.storage import MetricStorage


@labels
class Route:
    route: str


class Colour(StrEnum):
    RED = "red"


class OldColour(str, Enum):  # noqa: UP042 - as people still write
    RED = "red"


def values_of(given: object, reported: list[tuple[str, object]], max_length: int = 10) -> str:
    """Return the text of a label value."""
    label_values = LabelValues(
        labels_of(Route), max_length, lambda *fault: reported.append((fault[0], fault[1]))
    )
    (value,) = label_values.of({"route": given})
    return value


class TestLength:
    @given(st.text(max_size=30))
    def test_long_value_is_cut_at_maximal_length_and_reported(self, text: str) -> None:
        """A long value is cut at the maximal length and reported; a short one is unchanged."""
        reported: list[tuple[str, object]] = []

        assert text[:10] == values_of(text, reported)
        assert (["label length"] if len(text) > 10 else []) == [reason for reason, _ in reported]

    def test_report_names_label_and_length_of_its_value(self) -> None:
        """The report names the label and the length of its value."""
        reported: list[tuple[str, object]] = []
        values_of("a" * 5000, reported)

        assert [("label length", "route has 5000 characters and is cut")] == reported

    def test_long_values_with_same_beginning_share_series(self) -> None:
        """Each long value is a fault, and values with the same beginning share one series."""
        storage = MetricStorage(Faults(), max_length=10)
        live = storage.recorder(counter := Counter("acme.requests", "Requests.", Route))
        for ending in "ab":
            live.add(1, route="r" * 10 + ending)

        assert [(("r" * 10,), 2.0)] == [
            (cell.labels, cell.value) for cell in storage.family(counter).cells()
        ]
        assert 2.0 == storage.faults.count()


class TestText:
    @pytest.mark.parametrize("colour", [Colour.RED, OldColour.RED])
    def test_member_of_string_enumeration_becomes_its_value_as_plain_string(
        self, colour: str
    ) -> None:
        """A member of a string enumeration becomes its value as a plain string."""
        value = values_of(colour, [])

        assert ("red", str) == (value, type(value))
