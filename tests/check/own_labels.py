"""The labels of series without the labels that a server may add to every series."""

from __future__ import annotations

from otel_meta.check.foreign_series import EXTERNAL_LABELS
from otel_meta.check.promql.series_type import Vector, label_names


def own_labels(vector: Vector) -> set[str]:
    """Return the labels that the rules themselves give to series."""
    return label_names(vector) - {*EXTERNAL_LABELS}
