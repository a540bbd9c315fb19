"""OTLP over HTTP: a session for the SDK's exporters that checks every answer.

The SDK's exporters accept any status below 400 without reading the answer, follow no deadline while
an answer trickles in, and share their connections with forked children. They take a session of
requests as an argument, which is the place to mend all three.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from http.client import HTTPResponse
from importlib.metadata import entry_points
from socket import socket
from typing import Any, Final

from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import RequestException
from requests.models import PreparedRequest, Response
from requests.sessions import Session
from requests.utils import get_auth_from_url
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.signals import Signal

from .attempts import current_attempt
from .connection_errors import explained, is_broken, without_secrets
from .otlp_answers import MAX_ANSWER, HttpAnswer, judge

_MOMENT: Final = 0.001
"""Seconds for a read after the deadline: zero would mean a socket that does not block."""
_INFORMATIONAL: Final = range(102, 200)
"""Statuses that precede the answer; http.client skips 100, and 101 changes the protocol."""


class _TimedReader(io.RawIOBase):
    """Reads an answer until a deadline: a socket's timeout begins anew with each byte."""

    def __init__(self, raw: io.RawIOBase, connection: socket) -> None:
        self._raw: Final = raw
        self._connection: Final = connection
        self._deadline: Final = time.monotonic() + (connection.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connection.settimeout(max(self._deadline - time.monotonic(), _MOMENT))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        raw: Any = sock.makefile("rb", buffering=0)
        self.fp = io.BufferedReader(_TimedReader(raw, sock))

    def begin(self) -> None:
        """Read until the status and headers of the final answer."""
        super().begin()
        while self.status in _INFORMATIONAL:
            self.headers = self.msg = None  # type: ignore[assignment]  # as before `begin`
            super().begin()


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls: Any = _SecureConnection


_POOLS: Final[dict[str, Any]] = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """Sends requests whose timeout covers everything, from the connection to the last byte."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        if type(manager) is ProxyManager:  # that of SOCKS has pools of its own
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        options["timeout"] = Timeout(total=options["timeout"])
        return super().send(request, *arguments, **options)


def _url_credentials(request: PreparedRequest) -> PreparedRequest:
    """Send the credentials of the URL alone; requests would also send those of ~/.netrc."""
    user, password = get_auth_from_url(request.url or "")
    return HTTPBasicAuth(user, password)(request) if user or password else request


class _PlainSession(Session):
    def __init__(self) -> None:
        super().__init__()
        self.auth = _url_credentials
        for scheme in _POOLS:
            self.mount(f"{scheme}://", _Adapter())

    def get_redirect_target(self, resp: Response) -> None:  # noqa: ARG002
        """Follow nothing: requests would read the whole body of the redirection first."""
        return


def _provided_session(variable: str) -> Callable[[], Session] | None:
    """Return the factory of an installed credential provider that a variable names."""
    name = os.environ.get("OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER") or os.environ.get(
        variable
    )
    if not name:
        return None
    for entry in entry_points(group="opentelemetry_otlp_credential_provider", name=name):
        factory: Callable[[], Session] = entry.load()
        return factory
    raise ConfigurationError(f"no credential provider {name!r} is installed, see {variable}")


class OtlpSession(Session):
    """Sends the requests of an exporter on connections of the current process.

    Args:
        signal: the signal of the exporter.
    """

    def __init__(self, signal: Signal) -> None:
        super().__init__()
        self._signal: Final[Signal] = signal
        self._create: Final = (
            _provided_session(
                f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{signal.upper()}_CREDENTIAL_PROVIDER"
            )
            or _PlainSession
        )
        self._own: Session | None = None
        self._inherited: Final[list[Session | None]] = []
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Leave the parent's connections alone in a forked child.

        Closing them needs locks that a thread of the parent may have held.
        """
        self._inherited.append(self._own)
        self._own = None

    def request(  # type: ignore[override]  # a part of the arguments, which exporters use
        self, method: str, url: str, *, timeout: float, **options: Any
    ) -> Response:
        """Send a batch, with retries until the timeout.

        Raises:
            DeliveryError: the batch was not delivered.
        """
        attempt = current_attempt(self._signal)
        attempt.address = without_secrets(url)
        options.update(
            stream=True,
            allow_redirects=False,
            # As an argument, since a variable such as REQUESTS_CA_BUNDLE overrides the attribute.
            verify=self.verify if isinstance(self.verify, str) else None,
            cert=self.cert,
        )
        return attempt.deliver(partial(self._send, method, url, options), timeout)

    def close(self) -> None:
        """Close the connections."""
        if self._own is not None:
            self._own.close()
        super().close()

    def _send(self, method: str, url: str, options: dict[str, Any], timeout: float) -> Response:
        deadline = time.monotonic() + timeout
        try:
            response = self._respond(method, url, options, deadline)
            with closing(response):
                answer = _read(response)
        except (RequestException, HTTPError, ValueError) as error:
            raise explained(error, url) from error
        judge(answer, current_attempt(self._signal))
        return response

    def _respond(self, method: str, url: str, options: dict[str, Any], deadline: float) -> Response:
        """Send a request, and again if the receiver has closed an idle connection meanwhile."""
        self._own = session = self._own or self._create()
        timeout = deadline - time.monotonic()
        try:
            return session.request(method, url, timeout=timeout, **options)
        except RequestsConnectionError as error:
            if not is_broken(error) or time.monotonic() >= deadline:
                raise
        return session.request(method, url, timeout=deadline - time.monotonic(), **options)


def _read(response: Response) -> HttpAnswer:
    """Read a bounded part of the answer."""
    body = response.raw.read(MAX_ANSWER + 1, decode_content=True)
    return HttpAnswer(response.status_code, response.reason or "", response.headers, body)
