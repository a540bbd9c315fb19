"""What a scrape is answered over HTTP, whoever speaks it: an app's framework, or our own port."""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from .formats import Format
from .negotiation import format_for, gzip_accepted

Render = Callable[[Format, Collection[str]], Iterable[bytes]]
"""From a format and the names asked for to the pieces of a page."""

PLAIN: Final = "text/plain; charset=utf-8"

_LEVEL: Final = 1
"""Of compression. Higher ones take several times as long, and save little of text like this."""

_GZIP: Final = 31
"""Window bits that mean a gzip file with the largest window."""


class ScrapeRequest(NamedTuple):
    """What counts of a request: its query, and headers, each "" where it is missing.

    Headers are text of one character a byte, as HTTP has them (ISO 8859-1).
    """

    query: str = ""
    accept: str = ""
    accept_encoding: str = ""
    authorization: str = ""


class Answer(NamedTuple):
    """A status, headers by name in lower case, and a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ScrapeHandler:
    """Answers scrapes.

    Args:
        render: makes a page.
        token: what a scrape has to bear, in UTF-8 (RFC 6750); None lets everybody in.
    """

    def __init__(self, render: Render, token: str | None = None) -> None:
        self._render: Final = render
        self._token: Final = None if token is None else token.encode()

    def to(self, asked: ScrapeRequest) -> Answer:
        """The answer to a request: a page of all families, or of those in ``name[]``."""
        if not self._admits(asked.authorization):
            return Answer(401, {"content-type": PLAIN, "www-authenticate": "Bearer"}, _REFUSAL)
        names = parse_qs(asked.query, errors="replace").get("name[]", [])
        written = format_for(asked.accept)
        pieces = self._render(written, names)
        headers = {"content-type": written.content_type, "vary": "accept, accept-encoding"}
        if not gzip_accepted(asked.accept_encoding):
            return Answer(200, headers, b"".join(pieces))
        return Answer(200, {**headers, "content-encoding": "gzip"}, _zipped(pieces))

    def _admits(self, authorization: str) -> bool:
        if self._token is None:
            return True
        scheme, _, credentials = authorization.partition(" ")
        given = credentials.strip().encode("latin-1", "replace")
        return hmac.compare_digest(given, self._token) and scheme.lower() == "bearer"


def _zipped(pieces: Iterable[bytes]) -> bytes:
    """The pieces as one gzip file; other threads run while each is compressed."""
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


_REFUSAL: Final = b"give the token: Authorization: Bearer ...\n"
