"""Attributes in the wire format: KeyValue, AnyValue and their nested values.

The field numbers are those of opentelemetry/proto/common/v1/common.proto, the rules for types and
their order those of the SDK's encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from struct import Struct
from types import NoneType
from typing import Any, Final

from .protobuf_wire import (
    delimited,
    delimited_tag,
    delimited_text,
    fixed64_tag,
    repeated_field,
    text_field,
    varint,
    varint_tag,
)

_KEY: Final = delimited_tag(1)
_VALUE: Final = delimited_tag(2)
"""Fields of KeyValue."""

_STRING: Final = delimited_tag(1)
_BOOL: Final = varint_tag(2)
_INT: Final = varint_tag(3)
_DOUBLE: Final = fixed64_tag(4)
_ARRAY: Final = delimited_tag(5)
_MAP: Final = delimited_tag(6)
_BYTES: Final = delimited_tag(7)
"""Fields of AnyValue, which have presence."""

_VALUES: Final = delimited_tag(1)
"""The field of ArrayValue and of KeyValueList."""

_INT64_END: Final = 1 << 63
_UINT64: Final = (1 << 64) - 1
_FLOAT64: Final = Struct("<d")

_Encode = Callable[[Any, int], bytes]
"""Encodes a value that may contain a number of further levels of values."""
_LEVELS: Final = 16
"""Protobuf reads a hundred messages inside each other, and each level of a map has three."""

CACHE_SIZE: Final = 4096
LONGEST_CACHED: Final = 128
"""Characters of a key or a text that is cached: both may come from a caller of the service."""


def attributes_field(tag: bytes, attributes: Any) -> bytes:
    """Return a repeated field of KeyValue.

    Args:
        tag: the tag of the field.
        attributes: a mapping with a method ``copy``, such as the SDK's; or None.
    """
    if not attributes:
        return b""
    values: dict[str, object] = attributes.copy()  # has the fast `items` of a dict
    encoded: list[bytes] = []
    for key, value in values.items():
        is_long = len(key) > LONGEST_CACHED or (
            isinstance(value, str) and len(value) > LONGEST_CACHED
        )
        encode = _key_value if is_long else _CACHED.get(type(value), _key_value)
        encoded.append(encode(key, value))
    return repeated_field(tag, encoded)


def _key_value(key: str, value: object, levels: int = _LEVELS) -> bytes:
    """Return a length-delimited KeyValue."""
    return delimited(text_field(_KEY, key) + _VALUE + delimited(_any_value(value, levels)))


_CACHED: Final[Mapping[type, Callable[[str, Any], bytes]]] = {
    kind: lru_cache(CACHE_SIZE)(_key_value) for kind in (str, bool, int)
}
"""A cache for each type: as keys of one cache, True, 1 and 1.0 would be the same."""


def _any_value(value: object, levels: int = _LEVELS) -> bytes:
    encode = _ENCODERS.get(type(value)) or _encoder_of(value)
    return encode(value, levels)


def _encoder_of(value: object) -> _Encode:
    for kind, encode in _ENCODERS.items():
        if isinstance(value, kind):
            return encode
    raise TypeError(f"OTLP has no value of {type(value)}")


def _int(value: int, _levels: int) -> bytes:
    if not -_INT64_END <= value < _INT64_END:
        raise OverflowError(f"OTLP has no integer {value}")
    return _INT + varint(value & _UINT64)


def _array(values: Sequence[object], levels: int) -> bytes:
    below = _below(levels)
    encoded = [delimited(_any_value(value, below)) for value in values]
    return _ARRAY + delimited(repeated_field(_VALUES, encoded))


def _map(values: Mapping[object, object], levels: int) -> bytes:
    below = _below(levels)
    encoded = [_key_value(str(key), value, below) for key, value in values.items()]
    return _MAP + delimited(repeated_field(_VALUES, encoded))


def _below(levels: int) -> int:
    """Return the levels of the values inside a value."""
    if not levels:
        raise RecursionError(f"a value has more than {_LEVELS} levels")
    return levels - 1


_ENCODERS: Final[Mapping[type, _Encode]] = {
    NoneType: lambda _, __: b"",
    bool: lambda value, _: _BOOL + varint(value),
    str: lambda value, _: _STRING + delimited_text(value),
    int: _int,
    float: lambda value, _: _DOUBLE + _FLOAT64.pack(value),
    bytes: lambda value, _: _BYTES + delimited(value),
    Sequence: _array,
    Mapping: _map,
}
"""Of several types that fit, the first counts."""
