"""The form of the statuses in a response: JSON for programs, HTML for browsers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from otel_meta.media_ranges import best_match, parse_ranges

from .assets import html_headers

JSON: Final = "application/json"
HTML: Final = "text/html"
_BY_QUERY: Final = {"json": JSON, "html": HTML}
_VARY: Final = {"vary": "accept"}


class Representation(NamedTuple):
    """The status, the headers and the body of a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def represented(
    accept: str,
    query: str,
    *,
    render_json: Callable[[], bytes],
    render_html: Callable[[], str],
    status: int = 200,
) -> Representation:
    """Return the form that a request asks for.

    Args:
        accept: the Accept header. JSON is the default, also for ``*/*``.
        query: ``format=json`` or ``format=html`` wins over the header.
        render_json: returns the body in JSON.
        render_html: returns the page.
        status: the status of the response.
    """
    form = _form(accept, query)
    if form is None:
        headers = {"content-type": "text/plain; charset=utf-8"}
        return Representation(400, headers, b"use format=json or format=html\n")
    if form == HTML:
        return Representation(status, {**html_headers(), **_VARY}, render_html().encode())
    return Representation(status, {"content-type": JSON, **_VARY}, render_json())


def _form(accept: str, query: str) -> str | None:
    """Return the media type of a response; None for an unknown format in the query."""
    named = parse_qs(query, errors="replace").get("format")
    if named:
        return _BY_QUERY.get(named[-1])
    ranges = list(parse_ranges(accept))
    html, json = (best_match(media_type, ranges) for media_type in (HTML, JSON))
    return HTML if html.weight > json.weight else JSON
