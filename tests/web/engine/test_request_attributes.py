from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.redaction import Redaction
from otel_meta.runtime.redaction.captured_headers import CapturedHeaders
from otel_meta.web.engine.request_attributes import MAX_LENGTH, RequestAttributes
from tests.web.engine.direct_calls import scope_of

NO_HEADERS = CapturedHeaders(Redaction(), (), "")


def attributes(known: str = "GET", **scope: Any) -> dict[str, Any]:
    """Return the attributes of a request."""
    return dict(RequestAttributes(scope_of(**scope), known, NO_HEADERS))


class TestRequestAttributes:
    def test_request_has_conventions_attributes(self) -> None:
        """A request has the attributes of the conventions."""
        headers = [(b"host", b"shop.example:8443"), (b"user-agent", b"curl")]

        assert {
            "http.request.method": "GET",
            "url.scheme": "http",
            "url.path": "/items/7",
            "url.query": "a=REDACTED",
            "network.protocol.version": "1.1",
            "client.address": "1.2.3.4",
            "client.port": 5,
            "user_agent.original": "curl",
            "server.address": "shop.example",
            "server.port": 8443,
        } == attributes(headers=headers, query_string=b"a=1")

    def test_unknown_method_is_kept_as_original(self) -> None:
        """An unknown method is kept as the original method."""
        found = attributes("_OTHER", method="EVIL")

        assert ("_OTHER", "EVIL") == (
            found["http.request.method"],
            found["http.request.method_original"],
        )

    @pytest.mark.parametrize(
        ("host", "address", "port"),
        [
            (b"orders", "orders", 80),
            (b"orders:8080", "orders", 8080),
            (b"[::1]:8080", "::1", 8080),
            (b"[::1]", "::1", 80),
            (b"ann:secret@orders", "shop", 80),
            (b"orders:999999", "shop", 80),
            (b"orders:\xb2", "shop", 80),
        ],
    )
    def test_host_header_is_server(self, host: bytes, address: str, port: int | None) -> None:
        """The header Host names the server, or the socket if it is no name and port."""
        found = attributes(headers=[(b"host", host)])

        assert (address, port) == (found["server.address"], found.get("server.port"))

    @pytest.mark.parametrize(
        ("server", "expected"),
        [(("shop", 80), ("shop", 80)), (("/run/sock", None), ("/run/sock", None))],
    )
    def test_without_host_header_socket_is_server(self, server: Any, expected: Any) -> None:
        """Without the header Host, the socket names the server."""
        found = attributes(server=server)

        assert expected == (found["server.address"], found.get("server.port"))

    def test_missing_parts_of_scope_are_left_out(self) -> None:
        """Parts that the server does not give are left out."""
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}

        assert {
            "http.request.method",
            "url.scheme",
            "url.path",
            "network.protocol.version",
        } == set(RequestAttributes(scope, "GET", NO_HEADERS))

    def test_values_of_clients_are_bounded(self) -> None:
        """Values that clients choose are bounded."""
        long = "a" * 10_000
        headers = [(b"host", long.encode()), (b"user-agent", long.encode())]
        found = attributes(
            "_OTHER", path=long, method=long, query_string=long.encode(), headers=headers
        )

        assert MAX_LENGTH == max(len(str(value)) for value in found.values())

    @given(st.binary(), st.binary(), st.text(), st.binary())
    def test_any_bytes_give_text_that_can_be_encoded(
        self, host: bytes, agent: bytes, path: str, query: bytes
    ) -> None:
        """Any bytes of a client give text that can be encoded as UTF-8."""
        headers = [(b"host", host), (b"user-agent", agent)]
        found = attributes(path=path, query_string=query, headers=headers)

        assert all(str(value).encode() is not None for value in found.values())

    def test_attributes_are_computed_when_they_are_read(self) -> None:
        """The attributes are computed when they are read: a scope without a path is no fault."""
        unread = RequestAttributes({}, "GET", NO_HEADERS)

        with pytest.raises(KeyError):
            len(unread)
