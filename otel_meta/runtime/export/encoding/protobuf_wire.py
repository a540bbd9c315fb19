"""The wire format of protobuf: tags, varints and length-delimited fields.

A field without presence that has its default (zero, or an empty text) is left out, as protobuf's
own serializers do. See https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
"""Wire types."""

_GROUP: Final = 1 << 7
"""A byte of a varint has seven bits of the number, the lowest first."""
_CONTINUED: Final = tuple(bytes((_GROUP | bits,)) for bits in range(_GROUP))
"""Bytes that others follow."""
_SHORT: Final = (
    *(bytes((number,)) for number in range(_GROUP)),
    *(bytes((_GROUP | low, high)) for high in range(1, 16) for low in range(_GROUP)),
)
"""Frequent varints by their number."""


def varint(number: int) -> bytes:
    """Encode an unsigned integer."""
    if 0 <= number < len(_SHORT):
        return _SHORT[number]
    if number < 0:
        raise OverflowError(f"{number} is negative")
    return _CONTINUED[number % _GROUP] + varint(number // _GROUP)


def varint_tag(field: int) -> bytes:
    """Return the tag of a field with an integer, an enumeration or a boolean."""
    return varint(field << 3 | _VARINT)


def fixed32_tag(field: int) -> bytes:
    """Return the tag of a field with four bytes."""
    return varint(field << 3 | _FIXED32)


def fixed64_tag(field: int) -> bytes:
    """Return the tag of a field with eight bytes."""
    return varint(field << 3 | _FIXED64)


def delimited_tag(field: int) -> bytes:
    """Return the tag of a field with a text, bytes or a message."""
    return varint(field << 3 | _LENGTH_DELIMITED)


def delimited(content: bytes) -> bytes:
    """Return a content after its length."""
    return varint(len(content)) + content


def delimited_text(text: str) -> bytes:
    """Return a text in UTF-8 after its length; each lone surrogate becomes a question mark."""
    return delimited(text.encode(errors="replace"))


def varint_field(tag: bytes, number: int) -> bytes:
    """Return a field with an unsigned integer."""
    return tag + varint(number) if number else b""


def fixed64_field(tag: bytes, number: int | None) -> bytes:
    """Return a field with an unsigned integer of eight bytes."""
    return tag + number.to_bytes(8, "little") if number else b""


def text_field(tag: bytes, text: str | None) -> bytes:
    """Return a field with a text."""
    return tag + delimited_text(text) if text else b""


def repeated_field(tag: bytes, values: Sequence[bytes]) -> bytes:
    """Return a repeated field.

    Args:
        tag: the tag of each value.
        values: length-delimited.
    """
    return tag + tag.join(values) if values else b""
