from __future__ import annotations

import pytest

from otel_meta.web.asgi import header, path_of


class TestHeader:
    def test_first(self) -> None:
        """The first value of a header is found, in whatever case it was sent."""
        scope = {"headers": [(b"a", b"0"), (b"X-Id", b"1"), (b"x-id", b"2")]}

        assert "1" == header(scope, b"x-id")

    def test_none(self) -> None:
        """A header that was not sent is empty."""
        assert "" == header({"headers": []}, b"x-id")

    def test_bytes(self) -> None:
        """Bytes that are no ASCII do no harm."""
        assert "\xff" == header({"headers": [(b"x-id", b"\xff")]}, b"x-id")


class TestPath:
    @pytest.mark.parametrize(
        ("path", "prefix", "within"),
        [
            ("/metrics", "", "/metrics"),
            ("/api/metrics", "/api", "/metrics"),
            ("/api/metrics", "/api/", "/metrics"),
            ("/metrics", "/api", "/metrics"),  # behind a proxy that strips the prefix
            ("/apiary", "/api", "/apiary"),
            ("/api", "/api", "/api"),
            ("/", "", "/"),
        ],
    )
    def test_prefix(self, path: str, prefix: str, within: str) -> None:
        """The prefix that an application is served under is no part of the path."""
        assert within == path_of({"path": path, "root_path": prefix})

    def test_no_prefix(self) -> None:
        """A server need not say that there is none."""
        assert "/a" == path_of({"path": "/a"})
