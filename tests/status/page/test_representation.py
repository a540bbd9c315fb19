from __future__ import annotations

import pytest

from otel_meta.status.page.representation import represented

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


def content_type(accept: str, query: str = "") -> str:
    """Return the type of the response to a request."""
    page = represented(accept, query, render_json=lambda: b"{}", render_html=lambda: "<p>")
    return page.headers["content-type"].partition(";")[0]


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html;q=0.5, application/json;q=0.4", True),
        ("text/html;q=0.4, */*;q=0.5", False),
        ("text/html, application/json", False),
        ("text/html", True),
        ("TEXT/HTML", True),
        ("text/*", True),
        ("text/html;q=0", False),
        ("text/html;q=abc", False),
        ("image/png", False),
        (CHROMIUM, True),
    ],
)
def test_accept_header_chooses_form(accept: str, html: bool) -> None:
    """A request that prefers HTML gets HTML; JSON is the default."""
    assert ("text/html" if html else "application/json") == content_type(accept)


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("format=json", CHROMIUM, "application/json"),
        ("format=html", "application/json", "text/html"),
        ("a=b&format=html", "", "text/html"),
        ("format=", CHROMIUM, "text/html"),
        ("format=xml", CHROMIUM, "text/plain"),
    ],
)
def test_query_wins_over_header(query: str, accept: str, expected: str) -> None:
    """The query wins over the header, and an unknown format is refused."""
    assert expected == content_type(accept, query)


def test_responses_vary_by_accept() -> None:
    """Caches tell the two forms apart by the Accept header."""
    both = [
        represented(accept, "", render_json=lambda: b"{}", render_html=lambda: "")
        for accept in ("text/html", "*/*")
    ]

    assert ["accept", "accept"] == [page.headers["vary"] for page in both]
