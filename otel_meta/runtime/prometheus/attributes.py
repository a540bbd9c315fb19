"""The labels of a series: OpenTelemetry's attributes as Prometheus shows them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from otel_meta.runtime.text import utf8_text

from .naming import label_name

Labels = tuple[tuple[str, str], ...]
"""Names and values by name. A label without a value is left out: to Prometheus it is absent."""

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_FIXED_POINT: Final = (1e-6, 1e21)
"""Between these, a number is written without an exponent, as JSON is in Go."""


def labels_of(attributes: Mapping[str, Any], identity: Labels) -> Labels:
    """The labels of a point, and those of the resource that it has not set itself.

    Keys that become one label have their values joined with ";" in the order of the keys, as the
    specification has it.
    """
    found: dict[str, str] = {}
    for key in sorted(attributes):
        name, value = label_name(key), attribute_text(attributes[key])
        found[name] = f"{found[name]};{value}" if found.get(name) else value
    return sorted_labels((*identity, *((n, v) for n, v in found.items() if v)))


def sorted_labels(pairs: Iterable[tuple[str, str]]) -> Labels:
    """Labels by name, the later of two; those without a value left out."""
    return tuple(sorted((name, value) for name, value in dict(pairs).items() if value))


def without(name: str, labels: Labels) -> Labels:
    """All labels but one."""
    return tuple(pair for pair in labels if pair[0] != name)


def body_of(labels: Labels) -> str:
    """What stands between the braces."""
    return ",".join([f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels])


def attribute_text(value: object) -> str:
    """An attribute's value as Prometheus' OTLP receiver writes it.

    Text as it is, numbers and lists as JSON, bytes in base 64, nothing as "". Valid UTF-8, even
    where the text is not.
    """
    if isinstance(value, str):
        return utf8_text(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return _number(float(value))  # numpy's are floats that call themselves otherwise
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return utf8_text(json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":")))


def _number(value: float) -> str:
    least, most = _FIXED_POINT
    if value == 0 or least <= abs(value) < most:
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    return repr(value).replace("e-0", "e-").replace(".0e", "e")
