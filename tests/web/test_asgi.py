from __future__ import annotations

import pytest

from otel_meta.web.asgi import header, path_of


class TestHeader:
    def test_first_value_of_header_is_returned_sent_in_any_case(self) -> None:
        """The first value of a header is returned, sent in any case."""
        scope = {"headers": [(b"a", b"0"), (b"X-Id", b"1"), (b"x-id", b"2")]}

        assert "1" == header(scope, b"x-id")

    def test_missing_header_is_empty_string(self) -> None:
        """A missing header is an empty string."""
        assert "" == header({"headers": []}, b"x-id")

    def test_bytes_outside_ascii_are_decoded_as_latin_1(self) -> None:
        """Bytes outside ASCII are decoded as Latin-1."""
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
    def test_prefix_of_application_is_removed_from_path(
        self, path: str, prefix: str, within: str
    ) -> None:
        """The prefix of the application is removed from the path."""
        assert within == path_of({"path": path, "root_path": prefix})

    def test_scope_without_prefix_is_accepted(self) -> None:
        """A scope without a prefix is accepted."""
        assert "/a" == path_of({"path": "/a"})
