"""Labels that an expression names, held against those that its series have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_meta.check.finding import Problem, nearest

from .shape import Vector, has, names


def unknown(labels: Iterable[str], vector: Vector, owner: str) -> Iterator[Problem]:
    """A problem for each label that none of the series has."""
    for label in labels:
        if not has(vector, label):
            near = nearest(label, names(vector))
            yield Problem("label", f"{owner} has no label {label}", near)
