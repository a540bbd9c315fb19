from __future__ import annotations

import pytest

from tests.web.conftest import Web
from tests.web.frameworks.routing import request

OWN = ("10.0.0.7", 8000)
"""Address and port of the server's socket."""


def server_of(web: Web, host: bytes, scheme: str = "http") -> tuple[object, object]:
    """Return the address and the port on the span of a request."""
    request(web.app, "/", headers=[(b"host", host)], scheme=scheme, server=OWN)
    (span,) = web.server_spans()
    return span.attributes.get("server.address"), span.attributes.get("server.port")


class TestHost:
    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            (b"shop.example:8443", ("shop.example", 8443)),
            (b"order_service:65535", ("order_service", 65_535)),
            (b"[2001:db8::1]:8443", ("2001:db8::1", 8443)),
        ],
    )
    def test_header_has_name_and_port(
        self, web: Web, host: bytes, expected: tuple[str, int]
    ) -> None:
        """Name and port are those of the header Host."""
        assert expected == server_of(web, host)

    @pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443), ("ftp", None)])
    @pytest.mark.parametrize(
        ("host", "name"),
        [
            (b"shop.example", "shop.example"),
            (b"shop.example:", "shop.example"),
            (b"[::1]", "::1"),
        ],
    )
    def test_header_without_port_means_port_of_scheme(
        self, web: Web, host: bytes, name: str, scheme: str, port: int | None
    ) -> None:
        """A header without a port means the port of the scheme, if there is one."""
        assert (name, port) == server_of(web, host, scheme)

    @pytest.mark.parametrize(
        "host",
        [
            b"",
            b"ann:s3cret@shop.example",
            b"shop.example:65536",
            b"shop.example:http",
            b"shop.example/orders",
            b"[2001:db8::1",
            b"::1",
            b"shop.ex\xe4mple",
            b"a" * 256,
        ],
    )
    def test_header_without_authority_is_left_out(self, web: Web, host: bytes) -> None:
        """A header that is no name and port, as one with credentials, is replaced by the socket."""
        assert OWN == server_of(web, host)
