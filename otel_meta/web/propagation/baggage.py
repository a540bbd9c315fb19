"""The header ``baggage`` of W3C Baggage, https://www.w3.org/TR/baggage/."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote_plus, unquote_plus

_MAX_BYTES: Final = 8_192
_MAX_MEMBERS: Final = 180
_MAX_MEMBER_BYTES: Final = 4_096
"""The limits of the API's propagator, which logs a line for what is beyond them.

The recommendation asks for at least 64 members and 8,192 bytes.
"""
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")


def parse_baggage(values: Sequence[bytes]) -> dict[str, object]:
    """Return the members of all ``baggage`` headers of a request, without their properties.

    Members that are malformed, or that could not be sent on within the limits, are left out. Of a
    repeated key, the last member is kept.

    Keys and values are decoded by the rule that the API's propagator encodes them by, with ``+``
    for a space. So a header that comes in as ``a=1+2`` goes out so, too.
    """
    members: dict[str, object] = {}
    left = _MAX_BYTES
    for key, value in filter(None, map(_decoded, _first_members(b",".join(values)))):
        length = len(quote_plus(key)) + len("=") + len(quote_plus(value))
        if length <= min(left, _MAX_MEMBER_BYTES):
            left -= length + len(",")
            members[key] = value
    return members


def _decoded(member: str) -> tuple[str, str] | None:
    """Return key and value; None if the member is malformed."""
    key, equals, rest = member.partition("=")
    key, value = key.strip(" \t"), rest.partition(";")[0].strip(" \t")
    if equals and _TOKEN.fullmatch(key) and _VALUE.fullmatch(value):
        return unquote_plus(key), unquote_plus(value)
    return None


def _first_members(header: bytes) -> list[str]:
    """Return the members within the limits, whole ones only."""
    if len(header) > _MAX_BYTES:
        header, _, _ = header[: _MAX_BYTES + 1].rpartition(b",")
    return header.decode("latin-1").split(",", _MAX_MEMBERS)[:_MAX_MEMBERS]
