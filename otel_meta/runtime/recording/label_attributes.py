"""Label values of a series as attributes of OpenTelemetry."""

from __future__ import annotations

from otel_meta.model.labels import Label

from .family import OVERFLOW

Attributes = dict[str, str | int | bool]


def attributes_of(fields: tuple[Label, ...], values: tuple[str, ...]) -> Attributes:
    """Return label values under OpenTelemetry's keys, without empty values.

    Args:
        fields: the labels as declared.
        values: the values of a series in declared order, or `OVERFLOW`.
    """
    if values is OVERFLOW:
        return {OVERFLOW[0]: True}
    pairs = zip(fields, values, strict=True)
    return {field.attribute.key: field.attribute.encode(value) for field, value in pairs if value}
