"""Declarations as one line of text, for tables and documents."""

from __future__ import annotations

from otel_meta.model import Instrument


def labels_text(instrument: Instrument[...]) -> str:
    """Return a metric's labels with their closed values; long sets are shortened."""
    return ", ".join(
        label.name if label.values is None else f"{label.name} ({_shortened(label.values)})"
        for label in instrument.label_fields
    )


def _shortened(values: tuple[str, ...], most: int = 8) -> str:
    if len(values) <= most:
        return " ".join(values)
    return f"{values[0]} … {values[-1]}, {len(values)} values"
