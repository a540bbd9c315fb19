"""Labels of a series, converted from OpenTelemetry attributes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from otel_meta.runtime.text import utf8_text

from .name_translation import label_name

Labels = tuple[tuple[str, str], ...]
"""Pairs of name and value, sorted by name. Prometheus ignores empty values: they are left out."""

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_FIXED_POINT: Final = (1e-6, 1e21)
"""Numbers from the first to below the second have no exponent, as in Go's JSON encoder."""


def labels_of(attributes: Mapping[str, Any], identity: Labels) -> Labels:
    """Return the labels of a point, merged with the identity labels of the resource.

    A label of the point overrides the resource. If several keys become one label, the values are
    joined with ";" in the order of the keys:
    https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes

    Args:
        attributes: the attributes of the point.
        identity: labels of the resource.
    """
    found: dict[str, str] = {}
    for key in sorted(attributes):
        name, value = label_name(key), attribute_text(attributes[key])
        found[name] = f"{found[name]};{value}" if found.get(name) else value
    return sorted_labels((*identity, *((n, v) for n, v in found.items() if v)))


def sorted_labels(pairs: Iterable[tuple[str, str]]) -> Labels:
    """Sort labels by name. The later of two labels wins; empty values are left out."""
    return tuple(sorted((name, value) for name, value in dict(pairs).items() if value))


def without_label(name: str, labels: Labels) -> Labels:
    """Return all labels except one."""
    return tuple(pair for pair in labels if pair[0] != name)


def format_labels(labels: Labels) -> str:
    """Render the text between the braces of a sample."""
    return ",".join([f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels])


def attribute_text(value: object) -> str:
    """Convert an attribute value to text as the OTLP receiver of Prometheus does.

    Text is unchanged, numbers and lists become JSON, bytes base 64, None becomes "". Lone
    surrogates become question marks, which makes the result valid UTF-8.
    """
    if isinstance(value, str):
        return utf8_text(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return _format_number(float(value))  # the repr of a numpy float names its type
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return utf8_text(json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":")))


def _format_number(value: float) -> str:
    low, high = _FIXED_POINT
    if value == 0 or low <= abs(value) < high:
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    return repr(value).replace("e-0", "e-").replace(".0e", "e")
