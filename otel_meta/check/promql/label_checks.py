"""Checks of label names in expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_meta.check.finding import Diagnostic
from otel_meta.model.arguments import nearest_name

from .series_type import Vector, label_names, label_values, may_have
from .values import ANY


def unknown_labels(labels: Iterable[str], vector: Vector, owner: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each unknown label."""
    for label in labels:
        if not may_have(vector, label):
            near = nearest_label(label, vector)
            yield Diagnostic("label", f"{owner} has no label {label}", near, label)


def nearest_label(wrong: str, vector: Vector) -> str:
    """Return the label most similar to a wrong name; empty if no label is similar.

    Labels of the catalogue come before labels that any series may have.
    """
    names = label_names(vector)
    own = {name for name in names if label_values(vector, name) != ANY}
    return nearest_name(wrong, own) or nearest_name(wrong, names)
