from __future__ import annotations

import gzip

import pytest

from otel_meta.runtime.prometheus.formats import OPENMETRICS, TEXT
from otel_meta.runtime.prometheus.handler import Answer, ScrapeHandler, ScrapeRequest

TOKEN = "s3cret.Token~=="


def answers(token: str | None = None) -> ScrapeHandler:
    """Pages that say what was asked for."""
    return ScrapeHandler(
        lambda written, names: [written.media_type.encode(), b" ", "|".join(names).encode()], token
    )


class TestPage:
    def test_plain(self) -> None:
        """A page comes whole, with its type, and with what it depends on."""
        headers = {"content-type": TEXT.content_type, "vary": "accept, accept-encoding"}

        assert Answer(200, headers, b"text/plain ") == answers().to(ScrapeRequest())

    def test_format(self) -> None:
        """It is in the format that was asked for."""
        answer = answers().to(ScrapeRequest(accept="application/openmetrics-text"))

        assert OPENMETRICS.content_type == answer.headers["content-type"]
        assert b"application/openmetrics-text " == answer.body

    def test_zipped(self) -> None:
        """It is zipped for whoever takes that, alike each time."""
        answer = answers().to(ScrapeRequest(accept_encoding="gzip"))

        assert "gzip" == answer.headers["content-encoding"]
        assert b"text/plain " == gzip.decompress(answer.body)
        assert answer == answers().to(ScrapeRequest(accept_encoding="gzip"))

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
    def test_names(self, query: str, names: str) -> None:
        """It is of the families that the query names."""
        assert f"text/plain {names}".encode() == answers().to(ScrapeRequest(query)).body


class TestToken:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_admitted(self, scheme: str) -> None:
        """Whoever bears the token gets the page."""
        asked = ScrapeRequest(authorization=f"{scheme} {TOKEN}")

        assert 200 == answers(TOKEN).to(asked).status

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
    def test_refused(self, authorization: str) -> None:
        """Nobody else does, and is told how to."""
        answer = answers(TOKEN).to(ScrapeRequest(authorization=authorization))

        assert (401, "Bearer") == (answer.status, answer.headers["www-authenticate"])
        assert TOKEN.encode() not in answer.body

    def test_unneeded(self) -> None:
        """Without a token to bear, one that is borne does no harm."""
        assert 200 == answers().to(ScrapeRequest(authorization="Bearer any")).status
