"""The progress of a response, from its messages."""

from __future__ import annotations

from typing import Final

from otel_meta.web.asgi import Message
from otel_meta.web.engine.response_headers import CONTENT_LENGTH, CONTENT_TYPE

_EVENT_STREAM: Final = b"text/event-stream"


class ResponseProgress:
    """Status, bytes and times of a response.

    A response is a stream if its type is ``text/event-stream``, or if it has more than one chunk
    and no ``content-length``.
    """

    status = 0
    """0 until the response starts."""
    ended: float | None = None
    """The time of the last byte."""
    first_byte: float | None = None
    """The time of the first byte of the body."""
    byte_count: int | None = 0
    """The size of the body so far; None if the server reads the body from a file."""
    _chunks = 0
    _length: bytes | None = None
    _is_event_stream = False
    _has_trailers = False

    @property
    def is_stream(self) -> bool:
        """True as soon as the response is known to be a stream."""
        return self._is_event_stream or (self._chunks > 1 and self._length is None)

    @property
    def size(self) -> int | None:
        """The exact size of the body in bytes; None if it is not known."""
        if self.byte_count is not None:
            return self.byte_count
        length = self._length
        return int(length) if length is not None and length.isdigit() else None

    def start(self, message: Message, headers: dict[bytes, bytes]) -> None:
        """Note the start of the response."""
        self.status = message["status"]
        self._length = headers.get(CONTENT_LENGTH)
        self._is_event_stream = headers.get(CONTENT_TYPE, b"").startswith(_EVENT_STREAM)
        self._has_trailers = message.get("trailers", False)

    def sent(self, message: Message, now: float) -> None:
        """Note a message after the start."""
        kind = message["type"]
        if kind in _BODIES:
            self._add(message, now)
            is_last = not message.get("more_body", False) and not self._has_trailers
        else:
            is_last = kind == "http.response.trailers" and not message.get("more_trailers", False)
        if is_last:
            self.ended = now

    def _add(self, message: Message, now: float) -> None:
        """Add a part of the body; of a file, the size is not known."""
        is_file = message["type"] in _FROM_FILE
        count = 1 if is_file else len(message.get("body", b""))
        if count:
            self._chunks += 1
            if self.first_byte is None:
                self.first_byte = now
        if is_file:
            self.byte_count = None
        elif self.byte_count is not None:
            self.byte_count += count


_FROM_FILE: Final = frozenset({"http.response.pathsend", "http.response.zerocopysend"})
"""Extensions by which a server reads the body from a file."""
_BODIES: Final = frozenset({"http.response.body", *_FROM_FILE})
