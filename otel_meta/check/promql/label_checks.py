"""Checks of label names in expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_meta.check.finding import Diagnostic
from otel_meta.model.arguments import nearest_name

from .series_type import Vector, label_names, may_have


def unknown_labels(labels: Iterable[str], vector: Vector, owner: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each unknown label."""
    for label in labels:
        if not may_have(vector, label):
            near = nearest_name(label, label_names(vector))
            yield Diagnostic("label", f"{owner} has no label {label}", near)
