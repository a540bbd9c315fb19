"""Headers on spans: those that a variable names, with secrets hidden and values bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from . import Redaction

MAX_VALUE: Final = 1_024
"""Maximum number of characters of a value."""
MAX_VALUES: Final = 16
"""Maximum number of values of a header."""
_CACHED_NAMES: Final = 1_024
_NO_NAME: Final = re.compile(r"(?!)")


class CapturedHeaders:
    """Chooses the headers of a request or a response for its span.

    Args:
        redaction: hides the secrets.
        patterns: regular expressions of whole names, in any case.
        prefix: of the attributes: ``http.request.header.`` or ``http.response.header.``.
    """

    def __init__(self, redaction: Redaction, patterns: Iterable[str], prefix: str) -> None:
        every = "|".join(f"(?:{each})" for each in patterns)
        self._redaction: Final = redaction
        self._prefix: Final = prefix
        self._captured: Final = re.compile(every, re.IGNORECASE) if every else _NO_NAME
        self._names: Final[dict[bytes, str]] = {}
        self.is_empty: Final = not every
        """True if no header is captured."""

    def attributes(self, headers: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
        """Return the attributes of a span.

        Args:
            headers: names and values, as in an ASGI scope or message.
        """
        if self.is_empty:
            return {}
        found: dict[str, list[str]] = {}
        for raw, value in headers:
            name = self._names.get(raw)
            if name is None:
                name = self._add(raw)
            if name and len(values := found.setdefault(name, [])) < MAX_VALUES:
                values.append(value[:MAX_VALUE].decode("latin-1"))
        return {
            f"{self._prefix}{name}": self._redaction.header(name, values)
            for name, values in found.items()
        }

    def _add(self, raw: bytes) -> str:
        """Return the name of a header in lower case; "" if the header is not captured."""
        if len(self._names) >= _CACHED_NAMES:  # names from outside
            self._names.clear()
        name = raw.decode("latin-1").lower()
        self._names[raw] = name if self._captured.fullmatch(name) else ""
        return self._names[raw]
