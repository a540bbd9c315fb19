from __future__ import annotations

import gzip

import pytest

from otel_meta.runtime.prometheus.handler import Response, ScrapeHandler, ScrapeRequest
from otel_meta.runtime.prometheus.text_format import OPENMETRICS, TEXT

TOKEN = "s3cret.Token~=="


def echo_handler(token: str | None = None) -> ScrapeHandler:
    """Return a handler whose pages contain the format, the names and the reader of the request."""
    return ScrapeHandler(
        lambda text_format, names, for_server: (
            f"{text_format.media_type} {'|'.join(names)}{'for a server' * for_server}".encode()
        ),
        token,
    )


class TestPage:
    def test_response_has_type_and_vary(self) -> None:
        """A response has the page, the content type and the Vary header."""
        headers = {"content-type": TEXT.content_type, "vary": "accept, accept-encoding"}

        assert Response(200, headers, b"text/plain ") == echo_handler().handle(ScrapeRequest())

    def test_format_follows_accept_header(self) -> None:
        """The format follows the Accept header."""
        response = echo_handler().handle(ScrapeRequest(accept="application/openmetrics-text"))

        assert OPENMETRICS.content_type == response.headers["content-type"]
        assert b"application/openmetrics-text " == response.body

    def test_page_is_compressed_on_request(self) -> None:
        """A client that accepts gzip gets gzip."""
        response = echo_handler().handle(ScrapeRequest(accept_encoding="gzip"))

        assert "gzip" == response.headers["content-encoding"]
        assert b"text/plain " == gzip.decompress(response.body)

    def test_compression_is_deterministic(self) -> None:
        """Two responses to one request are equal, byte for byte."""
        request = ScrapeRequest(accept_encoding="gzip")

        assert echo_handler().handle(request) == echo_handler().handle(request)

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("", ""),
            ("name[]=a&name[]=b", "a|b"),
            ("name%5B%5D=a_total", "a_total"),
            ("other=1", ""),
            ("name[]=%ff", "\ufffd"),
            ("&&=;%", ""),
        ],
    )
    def test_query_selects_families(self, query: str, names: str) -> None:
        """The query parameter ``name[]`` selects families."""
        response = echo_handler().handle(ScrapeRequest(query))

        assert f"text/plain {names}".encode() == response.body

    def test_page_is_for_server_if_request_has_timeout_of_scrape(self) -> None:
        """The page is for a server if the request has the timeout of a scrape."""
        response = echo_handler().handle(ScrapeRequest(scrape_timeout="10"))

        assert b"text/plain for a server" == response.body


class TestToken:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_right_token_is_accepted(self, scheme: str) -> None:
        """A request with the token gets the page."""
        request = ScrapeRequest(authorization=f"{scheme} {TOKEN}")

        assert 200 == echo_handler(TOKEN).handle(request).status

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            TOKEN,
            "Bearer",
            "Bearer ",
            f"Bearer {TOKEN}x",
            f"Bearer {TOKEN[:-1]}",
            f"Bearer {TOKEN.lower()}",
            f"Basic {TOKEN}",
            f"Bearer Bearer {TOKEN}",
            "Bearer \xff\xfe",
            "Bearer \u2603",
        ],
    )
    def test_other_tokens_are_refused(self, authorization: str) -> None:
        """A request without the token gets a 401 with the scheme, without the token."""
        response = echo_handler(TOKEN).handle(ScrapeRequest(authorization=authorization))

        assert (401, "Bearer") == (response.status, response.headers["www-authenticate"])
        assert TOKEN.encode() not in response.body

    def test_needless_token_is_ignored(self) -> None:
        """A handler without a token ignores the Authorization header."""
        request = ScrapeRequest(authorization="Bearer any")

        assert 200 == echo_handler().handle(request).status
