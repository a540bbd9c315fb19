"""What is wrong with a server, and how to mend it: one line for each failure of a query."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from otel_meta.errors import BackendError
from otel_meta.extras import ExtraImports

from .answers import PartialAnswer, WrongAnswer, error_of, one_line
from .connection import Connection

with ExtraImports("cli", "Asking a server"):
    import httpx

_CREDENTIALS: Final = "give a token or a user with its password, and the tenant of a Mimir"
_CHECK_CREDENTIALS: Final = "check the token or password, whether it is still valid, and the tenant"
_BASE_URL: Final = (
    "give the base URL of the HTTP API, such as http://host:9090 or https://host/prometheus"
)
_LATER: Final = "ask again later, or look into the log of the server"
_MENDED: Final[Mapping[int, tuple[str, str]]] = {
    HTTPStatus.FORBIDDEN: (
        "forbids the query",
        "use credentials that may read this tenant's metrics",
    ),
    HTTPStatus.NOT_FOUND: ("has no Prometheus API at this address", _BASE_URL),
    HTTPStatus.METHOD_NOT_ALLOWED: ("takes no POST at this address", _BASE_URL),
    HTTPStatus.BAD_REQUEST: ("refuses a query", "check that it has Prometheus' API"),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "cannot evaluate a query",
        "raise its limits of samples and time, or wait until each of its stores answers again",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: ("answers no more queries for now", _LATER),
    HTTPStatus.SERVICE_UNAVAILABLE: ("is not ready or ran out of time", _LATER),
}


def refused(
    connection: Connection, status: int, headers: Mapping[str, str], body: bytes
) -> BackendError:
    """Return the error of an answer with another status than 200."""
    said = error_of(body)
    if status == HTTPStatus.UNAUTHORIZED:
        problem, mend = _unauthorised(connection)
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        problem, mend = _redirected(headers.get("location", ""))
    else:
        problem, mend = _MENDED.get(status, ("fails", _LATER))
    return _error(connection, f"{problem} ({status}){said and f': {said}'}", mend)


def no_answer(connection: Connection, error: Exception) -> BackendError:
    """Return the error of a server that cannot be reached, or does not answer."""
    if isinstance(error, httpx.TimeoutException):
        problem = f"does not answer within {connection.timeout:g} s"
        return _error(connection, problem, "give a longer time-out, or look at the server's load")
    if isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError | httpx.ReadError):
        problem = "ends its answer early, or speaks no HTTP"
        return _error(connection, problem, "check the port and the proxies on the way")
    return _error(connection, *_unreachable(error))


def wrong_answer(connection: Connection, wrong: WrongAnswer) -> BackendError:
    """Return the error of an answer that is none to a query, or has only a part of the data."""
    is_partial = isinstance(wrong, PartialAnswer)
    mend = "wait until each of its stores answers again" if is_partial else _BASE_URL
    return _error(connection, str(wrong), mend)


def _unauthorised(connection: Connection) -> tuple[str, str]:
    is_given = connection.token is not None or connection.user is not None
    return "wants credentials" if not is_given else "does not accept the credentials", (
        _CHECK_CREDENTIALS if is_given else _CREDENTIALS
    )


def _redirected(location: str) -> tuple[str, str]:
    """Return the problem of a redirection, which may lead to the page of a login."""
    parts = urlsplit(location)
    to = one_line(f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.netloc else parts.path)
    return f"sends the query to {to or 'nowhere'}", "give the address that answers queries itself"


def _unreachable(error: Exception) -> tuple[str, str]:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"has a certificate that is not trusted: {one_line(cause.verify_message)}",
                "give the file of its certificate authority",
            )
        if isinstance(cause, ssl.SSLError):
            return "speaks no TLS", "write http:// in place of https://"
        if isinstance(cause, socket.gaierror):
            return "has a name that is not known", "correct the name of the host"
        if isinstance(cause, OSError) and cause.strerror:
            problem = f"cannot be reached: {one_line(cause.strerror)}"
            return problem, "start the server, or correct host and port"
    return f"cannot be asked: {one_line(error)}", "correct the URL"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _error(connection: Connection, problem: str, mend: str) -> BackendError:
    return BackendError(f"{connection.url}: {problem}; {mend}")
