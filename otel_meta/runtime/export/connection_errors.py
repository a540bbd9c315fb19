"""Errors of a connection to an OTLP receiver, each as a cause and a cure in one sentence."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from http.client import BadStatusLine, IncompleteRead
from socket import gaierror
from typing import Final, NamedTuple

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, InvalidSchema, ProxyError, Timeout
from urllib3.exceptions import DecodeError, NewConnectionError

from .attempts import DeliveryError
from .otlp_answers import quoted

_CREDENTIALS: Final = re.compile(r"(^|//)[^/@]*@")
_QUERY: Final = re.compile(r"[?#].*", re.DOTALL)
_GRPC_PORT: Final = 4317
USE_GRPC: Final = "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or use the port of HTTP, by default 4318"


class _Row(NamedTuple):
    matches: Callable[[BaseException], bool]
    cause: str
    """A format with ``error``."""
    is_transient: bool = True
    is_unreachable: bool = False


def _is(*types: type[BaseException]) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, types)


def _is_tls(text: str) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, ssl.SSLError) and text in str(error)


def _needs_socks(error: BaseException) -> bool:
    return isinstance(error, InvalidSchema) and "SOCKS" in str(error)


def _is_http2(error: BaseException) -> bool:
    return isinstance(error, BadStatusLine) and str(error.args[0]).startswith("\0\0")


_ROWS: Final = (
    _Row(
        _is(ProxyError),
        "the proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY does not connect ({error}); exclude "
        "the receiver with NO_PROXY, or mend the proxy",
    ),
    _Row(
        _needs_socks,
        "the proxy needs SOCKS; install requests[socks], or exclude the receiver with NO_PROXY",
        is_transient=False,
    ),
    _Row(
        _is_tls("CERTIFICATE_VERIFY_FAILED"),
        "the certificate is not trusted ({error}); set OTEL_EXPORTER_OTLP_CERTIFICATE to the file "
        "of its authority",
        is_transient=False,
    ),
    _Row(
        _is(ssl.SSLError),
        "TLS fails ({error}); without TLS at the receiver, write http:// instead of https://",
    ),
    _Row(
        _is(gaierror),
        "the name of the host is unknown ({error}); correct the endpoint",
        is_unreachable=True,
    ),
    _Row(
        _is(ConnectionRefusedError),
        "nobody listens there (connection refused); start the receiver, or correct the endpoint",
        is_unreachable=True,
    ),
    _Row(
        _is(ConnectTimeout),
        "no connection within the timeout; correct the endpoint, or allow the connection",
        is_unreachable=True,
    ),
    _Row(
        _is(NewConnectionError),
        "no connection ({error}); correct the endpoint",
        is_unreachable=True,
    ),
    _Row(
        _is(Timeout, TimeoutError),
        "no whole answer within the timeout; see OTEL_EXPORTER_OTLP_TIMEOUT",
    ),
    _Row(
        _is(IncompleteRead, DecodeError),
        "the answer is cut or damaged ({error})",
        is_transient=False,
    ),
    _Row(_is_http2, f"this is a port of HTTP/2, as gRPC uses; {USE_GRPC}", is_transient=False),
    _Row(
        _is(BadStatusLine, ConnectionError),
        "the connection broke before an answer ({error})",
    ),
)


def explained(error: BaseException, url: str) -> DeliveryError:
    """Return an error of a request with its cause in words."""
    chain = list(_chain(error))
    words = _words(chain[-1], url)
    for row in _ROWS:
        if any(row.matches(link) for link in chain):
            return DeliveryError(
                row.cause.format(error=words) + _port_hint(row, url),
                is_transient=row.is_transient,
                is_unreachable=row.is_unreachable,
            )
    return DeliveryError(words, is_transient=isinstance(error, RequestsConnectionError))


def is_broken(error: BaseException) -> bool:
    """Return True if a connection broke, as an idle one does that the receiver has closed."""
    return any(isinstance(link, ConnectionResetError | BrokenPipeError) for link in _chain(error))


def without_secrets(url: str) -> str:
    """Return a URL, valid or not, without its credentials and query."""
    return _CREDENTIALS.sub(r"\1", _QUERY.sub("", url))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(root: BaseException, url: str) -> str:
    """Return the text of the first cause, which has no addresses of objects."""
    text = (root.strerror if isinstance(root, OSError) else None) or str(root)
    return quoted(text.replace(url, without_secrets(url)) or type(root).__name__)


def _port_hint(row: _Row, url: str) -> str:
    is_grpc = not row.is_unreachable and f":{_GRPC_PORT}/" in url
    return f"; {_GRPC_PORT} is the port of gRPC: {USE_GRPC}" if is_grpc else ""
