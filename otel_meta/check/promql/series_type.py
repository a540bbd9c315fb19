"""Types of series: the possible values of their labels, and their metric type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Final, Literal

from .values import ABSENT, ANY, PRESENT, Values

MetricType = Literal["counter", "gauge", "histogram", ""]
"""The metric type of a series; empty if unknown. A histogram is native: its values have buckets."""

NAME: Final = "__name__"
_MAX_TYPES: Final = 64
"""The largest number of types in a vector. More types are merged: mistakes may go unnoticed, but
correct rules are never reported."""


@dataclass(frozen=True)
class SeriesType:
    """The labels and the metric type of the series of a metric or a rule."""

    labels: Mapping[str, Values] = field(default_factory=dict[str, Values])
    rest: Values = ABSENT
    """The values of every other label: absent, or any value if the labels are not known."""
    metric_type: MetricType = ""

    def values(self, label: str) -> Values:
        """Return the possible values of a label."""
        return ANY if label == NAME else self.labels.get(label, self.rest)

    def may_have(self, label: str) -> bool:
        """Return True if a series may have the label."""
        return bool(self.values(label) & PRESENT)

    def is_possible(self) -> bool:
        """Return True if every label has a possible value."""
        return all(self.labels.values())

    def having(self, more: Mapping[str, Values]) -> SeriesType:
        """Return the type with these labels replaced."""
        return replace(self, labels={**self.labels, **more})

    def only(self, labels: Iterable[str]) -> SeriesType:
        """Return the type with these labels alone."""
        remaining = {label: self.values(label) for label in labels}
        return SeriesType(remaining, ABSENT, self.metric_type)

    def without(self, labels: Iterable[str]) -> SeriesType:
        """Return the type without these labels."""
        return self.having(dict.fromkeys(labels, ABSENT))

    def of_metric_type(self, metric_type: MetricType) -> SeriesType:
        """Return the type with another metric type."""
        return replace(self, metric_type=metric_type)


Vector = tuple[SeriesType, ...]
"""Every type that the series of an expression may have."""

UNKNOWN: Final = SeriesType(rest=ANY)
UNLABELED: Final = SeriesType()
"""A series without labels."""


def vector_of(types: Iterable[SeriesType]) -> Vector:
    """Return the types without repetition; `UNKNOWN` if empty, to cause no further mistakes."""
    different: list[SeriesType] = []
    for series in types:
        if series not in different:
            different.append(series)
    if len(different) > _MAX_TYPES:
        return (reduce(_either, different),)
    return tuple(different) or (UNKNOWN,)


def may_have(vector: Vector, label: str) -> bool:
    """Return True if any series may have the label."""
    return any(series.may_have(label) for series in vector)


def label_values(vector: Vector, label: str) -> Values:
    """Return the possible values of a label over all series."""
    return reduce(Values.__or__, (series.values(label) for series in vector))


def label_names(vector: Vector) -> set[str]:
    """Return the labels that the series may have."""
    return {label for series in vector for label in series.labels if series.may_have(label)}


def _either(one: SeriesType, other: SeriesType) -> SeriesType:
    both = {
        label: one.values(label) | other.values(label) for label in {**one.labels, **other.labels}
    }
    return SeriesType(
        both, one.rest | other.rest, one.metric_type if one.metric_type == other.metric_type else ""
    )
