"""What is known of series before there are any: their labels, and whether they count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Final, Literal

from .values import ABSENT, ANY, PRESENT, Values

Kind = Literal["counter", "gauge", ""]
"""How values move: only up, up and down, or not known."""

NAME: Final = "__name__"
_MOST: Final = 64
"""So many shapes are told apart; more are merged into one, which may miss but never invents."""


@dataclass(frozen=True)
class Shape:
    """The series that one metric or one rule can give."""

    labels: Mapping[str, Values] = field(default_factory=dict[str, Values])
    rest: Values = ABSENT
    """What a label that is not listed may be: absent, or anything where labels are not known."""
    kind: Kind = ""

    def values(self, label: str) -> Values:
        """What a label may be."""
        return ANY if label == NAME else self.labels.get(label, self.rest)

    def has(self, label: str) -> bool:
        """Whether a series may bear a label."""
        return bool(self.values(label) & PRESENT)

    def possible(self) -> bool:
        """Whether there can be such a series."""
        return all(self.labels.values())

    def having(self, more: Mapping[str, Values]) -> Shape:
        """The same with these labels."""
        return replace(self, labels={**self.labels, **more})

    def only(self, labels: Iterable[str]) -> Shape:
        """The same without all other labels."""
        kept = {label: self.values(label) for label in labels}
        return Shape(kept, ABSENT, self.kind)

    def without(self, labels: Iterable[str]) -> Shape:
        """The same without these labels."""
        return self.having(dict.fromkeys(labels, ABSENT))

    def of_kind(self, kind: Kind) -> Shape:
        """The same, moving in this way."""
        return replace(self, kind=kind)


Vector = tuple[Shape, ...]
"""Every shape that the series of an expression may have."""

UNKNOWN: Final = Shape(rest=ANY)
BARE: Final = Shape()
"""One series without labels."""


def vector_of(shapes: Iterable[Shape]) -> Vector:
    """Shapes without repetition; never none, so that one problem does not cause others."""
    different: list[Shape] = []
    for shape in shapes:
        if shape not in different:
            different.append(shape)
    if len(different) > _MOST:
        return (reduce(_either, different),)
    return tuple(different) or (UNKNOWN,)


def has(vector: Vector, label: str) -> bool:
    """Whether any of the series may bear a label."""
    return any(shape.has(label) for shape in vector)


def values(vector: Vector, label: str) -> Values:
    """What a label may be, over all series."""
    return reduce(Values.__or__, (shape.values(label) for shape in vector))


def names(vector: Vector) -> set[str]:
    """Labels that the series may bear."""
    return {label for shape in vector for label in shape.labels if shape.has(label)}


def _either(one: Shape, other: Shape) -> Shape:
    both = {
        label: one.values(label) | other.values(label) for label in {**one.labels, **other.labels}
    }
    return Shape(both, one.rest | other.rest, one.kind if one.kind == other.kind else "")
