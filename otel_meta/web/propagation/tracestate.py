"""The header ``tracestate`` of W3C Trace Context, https://www.w3.org/TR/trace-context-2/."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, Self

from opentelemetry.trace import TraceState

_MAX_MEMBERS: Final = 32
_MAX_LENGTH: Final = 8_192
"""Bytes of all headers together; the recommendation asks for at least 512."""
_MEMBER: Final = re.compile(
    r"([a-z0-9][a-z0-9_\-*/@]{0,255})"
    r"=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)


class Level2TraceState(TraceState):
    """A trace state with keys by Level 2, such as ``a@b@c``.

    The API's class refuses these keys with a log line for each, in every method that makes a new
    state. Callers choose the keys, so this class writes none.
    """

    @classmethod
    def of_valid(cls, members: Iterable[tuple[str, str]]) -> Self:
        """Return a trace state of the first 32 of these members, which are valid."""
        state = cls()
        state._dict.update(islice(members, _MAX_MEMBERS))  # the constructor checks by Level 1
        return state

    def add(self, key: str, value: str) -> TraceState:
        """Return a state that has the member, too. A known key keeps its value."""
        return self if key in self else self.update(key, value)

    def update(self, key: str, value: str) -> TraceState:
        """Return a state with the member in the first place; the last one of 33 is left out."""
        if _MEMBER.fullmatch(f"{key}={value}") is None:
            return self
        return self.of_valid([(key, value), *self._without(key)])

    def delete(self, key: str) -> TraceState:
        """Return a state without the key."""
        return self.of_valid(self._without(key))

    def _without(self, key: str) -> list[tuple[str, str]]:
        return [member for member in self.items() if member[0] != key]


def parse_tracestate(values: Sequence[bytes]) -> TraceState | None:
    """Return the trace state from all ``tracestate`` headers of a request, in their order.

    Of a repeated key, the first member is kept: a service writes its own to the left.

    Returns:
        None if a member is malformed, or if there are too many: the state is discarded whole.
    """
    text = b",".join(values)
    if len(text) > _MAX_LENGTH:
        return None
    members: dict[str, str] = {}
    for part in text.decode("latin-1").split(","):
        member = part.strip(" \t")
        if not member:
            continue
        match = _MEMBER.fullmatch(member)
        if match is None:
            return None
        members.setdefault(*match.groups())
    return Level2TraceState.of_valid(members.items()) if len(members) <= _MAX_MEMBERS else None
