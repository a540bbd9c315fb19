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


def values_of(given: object, told: list[tuple[str, object]], max_length: int = 10) -> str:
    """What a label value is kept as."""
    label_values = LabelValues(
        labels_of(Route), max_length, lambda reason, detail: told.append((reason, detail))
    )
    (value,) = label_values.of({"route": given})
    return value


class TestLength:
    @given(st.text(max_size=30))
    def test_cut(self, text: str) -> None:
        """A value that is too long is cut at the bound and told of; any other stays as it is."""
        told: list[tuple[str, object]] = []

        assert text[:10] == values_of(text, told)
        assert (["label length"] if len(text) > 10 else []) == [reason for reason, _ in told]

    def test_detail(self) -> None:
        """The fault says which label, and how long it was."""
        told: list[tuple[str, object]] = []
        values_of("a" * 5000, told)

        assert [("label length", "route has 5000 characters and is cut")] == told

    def test_counted(self) -> None:
        """Each long value is counted, and all with the same beginning are one series."""
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
    def test_enum(self, colour: str) -> None:
        """A member of an enumeration of strings is its value, and a plain string."""
        value = values_of(colour, [])

        assert ("red", str) == (value, type(value))
