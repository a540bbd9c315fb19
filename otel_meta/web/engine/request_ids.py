"""Ids of requests: the caller's, if it is safe to log, else a new one."""

from __future__ import annotations

import os
import re
from typing import Final

from otel_meta.runtime.fork import reset_after_fork

_SAFE_ID: Final = re.compile(rb"[A-Za-z0-9._~:/+=-]{1,128}")
_LENGTH: Final = 16
"""Bytes of an id, as in a UUID."""
_BATCH: Final = 64
"""Ids made from one system call."""


class RequestIds:
    """Chooses the ids of requests."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        reset_after_fork(self)

    def choose(self, received: bytes | None) -> str:
        """Return the value of ``X-Request-ID`` if it is safe to log, else a new id."""
        if received is not None and _SAFE_ID.fullmatch(received):
            return received.decode("ascii")
        return self._next()

    def after_fork(self) -> None:
        """Draw new ids in a forked child, because the parent uses up the drawn ones."""
        self._ids = []

    def _next(self) -> str:
        """Return a new id; event loops on several threads take each id once."""
        try:
            return self._ids.pop()
        except IndexError:
            first, *others = _random_ids()
            self._ids += others
            return first


def _random_ids() -> list[str]:
    text = os.urandom(_LENGTH * _BATCH).hex()
    return [text[i : i + 2 * _LENGTH] for i in range(0, len(text), 2 * _LENGTH)]
