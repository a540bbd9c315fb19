"""Attributes of a server span that are known when a request begins.

Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from otel_meta.runtime.redaction import redact_query
from otel_meta.runtime.redaction.captured_headers import CapturedHeaders
from otel_meta.runtime.text import utf8_text
from otel_meta.web.asgi import Scope

MAX_LENGTH: Final = 4_096
"""Characters of an attribute: clients choose paths and headers."""

_AUTHORITY: Final = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]{2,45})\]|([\w.~%!$&'()*+,;=-]{1,255}))(?::([0-9]{0,5}))?"
)
"""An IP address in brackets, or a name, and a port: RFC 3986, section 3.2."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_MAX_PORT: Final = 65_535


class RequestAttributes(Mapping[str, Any]):
    """The attributes, computed when a sampler or a span reads them.

    Most samplers decide by the trace id, so a request that is not sampled costs no attributes.

    Args:
        scope: of the request.
        method: one of the known methods, or ``_OTHER``.
        captured: chooses further headers.
    """

    def __init__(self, scope: Scope, method: str, captured: CapturedHeaders) -> None:
        self._scope: Final = scope
        self._method: Final = method
        self._captured: Final = captured

    @cached_property
    def _attributes(self) -> dict[str, Any]:
        scope = self._scope
        # A span that has too many attributes drops the first: captured headers, which clients add.
        attributes: dict[str, Any] = {
            **self._captured.attributes(scope["headers"]),
            "http.request.method": self._method,
            "url.scheme": scope.get("scheme", "http"),
            "url.path": _bounded(scope["path"]),
            "network.protocol.version": scope.get("http_version", "1.1"),
        }
        if self._method == "_OTHER":
            attributes["http.request.method_original"] = _bounded(scope["method"])
        if scope.get("query_string"):
            attributes["url.query"] = redact_query(scope["query_string"])
        _add_client(attributes, scope.get("client"))
        _add_headers(attributes, scope)
        return attributes

    def __getitem__(self, key: str) -> Any:
        return self._attributes[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def items(self) -> Any:
        """Return keys and values, without a call for each key."""
        return self._attributes.items()


def _add_client(attributes: dict[str, Any], client: Any) -> None:
    if client:
        attributes["client.address"] = _bounded(str(client[0]))  # behind a proxy, of a header
        if client[1]:
            attributes["client.port"] = int(client[1])


def _add_headers(attributes: dict[str, Any], scope: Scope) -> None:
    for name, value in scope["headers"]:
        if name == b"user-agent":
            attributes["user_agent.original"] = value[:MAX_LENGTH].decode("latin-1")
        elif name == b"host":
            _add_server(attributes, value)
    server = scope.get("server")
    if "server.address" not in attributes and server:
        attributes["server.address"] = str(server[0])
        if server[1]:
            attributes["server.port"] = int(server[1])


def _add_server(attributes: dict[str, Any], host: bytes) -> None:
    """Add name and port of the header ``Host``: ``name``, ``name:80`` or ``[::1]:80``.

    A header of another form is left out: it may have credentials before the name.
    """
    found = _AUTHORITY.fullmatch(host)
    if found is None:
        return
    digits = found[3]
    port = int(digits) if digits else _DEFAULT_PORTS.get(attributes["url.scheme"])
    if port is not None and port > _MAX_PORT:
        return
    attributes["server.address"] = (found[1] or found[2]).decode("ascii")
    if port is not None:
        attributes["server.port"] = port


def _bounded(text: str) -> str:
    return utf8_text(text[:MAX_LENGTH])
