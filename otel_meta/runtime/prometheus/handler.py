"""The HTTP handler of /metrics, independent of the server: ASGI and `MetricsServer` both use it."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from .codings import compress
from .negotiation import negotiate_coding, negotiate_format
from .text_format import TextFormat

RenderPage = Callable[[TextFormat, Collection[str], bool], bytes]
"""Renders a page in chunks, from a format and the requested names of metrics.

The last argument is True for the page of a server, which computes increases from it.
"""

SCRAPE_TIMEOUT: Final = "X-Prometheus-Scrape-Timeout-Seconds"
"""Header of the scrapes of Prometheus, of the Collector's receiver and of vmagent."""

PLAIN_TEXT: Final = "text/plain; charset=utf-8"


class ScrapeRequest(NamedTuple):
    """The query and the relevant headers of a request; "" for a missing header.

    Headers are text of one character per byte (ISO 8859-1), as in HTTP.
    """

    query: str = ""
    accept: str = ""
    accept_encoding: str = ""
    authorization: str = ""
    scrape_timeout: str = ""


class Response(NamedTuple):
    """A status, headers by name in lower case, and a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


UNAUTHORIZED: Final = Response(
    401,
    {"content-type": PLAIN_TEXT, "www-authenticate": "Bearer"},
    b"give the token: Authorization: Bearer ...\n",
)
"""The response to a request without the token."""


class BearerToken:
    """Checks the token of requests (RFC 6750).

    Args:
        token: the token of every request, in UTF-8; None allows every request.
    """

    def __init__(self, token: str | None) -> None:
        self._token: Final = None if token is None else token.encode()

    def is_in(self, authorization: str) -> bool:
        """Return True if the Authorization header has the token, or no token is needed."""
        if self._token is None:
            return True
        scheme, _, credentials = authorization.partition(" ")
        token = credentials.strip().encode("latin-1", "replace")
        return hmac.compare_digest(token, self._token) and scheme.lower() == "bearer"


class ScrapeHandler:
    """Handles scrapes: authorization, content negotiation, compression.

    Args:
        render_page: renders a page.
        token: the bearer token of every scrape; None allows every request.
    """

    def __init__(self, render_page: RenderPage, token: str | None = None) -> None:
        self._render_page: Final = render_page
        self._token: Final = BearerToken(token)

    def handle(self, request: ScrapeRequest) -> Response:
        """Respond with a page of all families, or of the families named by ``name[]``."""
        if not self._token.is_in(request.authorization):
            return UNAUTHORIZED
        names = parse_qs(request.query, errors="replace").get("name[]", [])
        text_format = negotiate_format(request.accept)
        body = self._render_page(text_format, names, bool(request.scrape_timeout))
        headers = {"content-type": text_format.content_type, "vary": "accept, accept-encoding"}
        coding = negotiate_coding(request.accept_encoding)
        if coding is None:
            return Response(200, headers, body)
        return Response(200, {**headers, "content-encoding": coding}, compress(body, coding))
