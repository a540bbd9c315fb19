"""The HTTP API of Prometheus, which Thanos, Mimir and VictoriaMetrics have as well."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from otel_meta.extras import ExtraImports

from .answers import (
    Exemplar,
    Sample,
    Series,
    WrongAnswer,
    exemplars_of,
    joined,
    samples_of,
    series_of,
)
from .connection import Connection
from .failures import no_answer, refused, wrong_answer
from .steps import Steps

with ExtraImports("cli", "Asking a server"):
    import httpx

_WHOLE: Final = {"partial_response": "false", "deny_partial_response": "1", "nocache": "1"}
"""Thanos and VictoriaMetrics refuse to answer with a part of the data, and VictoriaMetrics moves no
step of a range; a server that does not know a field ignores it."""
_LARGEST: Final = 256 * 1024 * 1024
"""Bytes of an answer."""


class PrometheusApi:
    """Queries to a server; each failure is a `BackendError` of one line.

    The proxies in the usual variables (``HTTPS_PROXY``, ``NO_PROXY``) are used. A request has a
    connection of its own, so that nothing needs to be closed.
    """

    def __init__(self, connection: Connection) -> None:
        """Remember how the server is reached; nothing is sent."""
        self.connection: Final = connection

    @property
    def url(self) -> str:
        """The base URL, without credentials."""
        return self.connection.url

    def instant(self, query: str, at: float | None = None) -> tuple[Sample, ...]:
        """Return the value of each series at a time, by default at the server's present.

        Raises:
            BackendError: the server does not answer, refuses the query or has only a part of the
                data.
        """
        moment = {} if at is None else {"time": f"{at:.3f}"}
        try:
            return samples_of(self._answer("query", {"query": query, **moment}))
        except WrongAnswer as wrong:
            raise wrong_answer(self.connection, wrong) from wrong

    def range(self, query: str, steps: Steps) -> tuple[Series, ...]:
        """Return the values of each series at all steps; a long range is asked in parts.

        Raises:
            BackendError: as of `instant`.
        """
        try:
            return joined(self._part(query, part) for part in steps.parts())
        except WrongAnswer as wrong:
            raise wrong_answer(self.connection, wrong) from wrong

    def exemplars(self, query: str, begin: float, end: float) -> tuple[Exemplar, ...]:
        """Return the exemplars of the series that a query selects, in a range of time.

        Raises:
            BackendError: as of `instant`.
        """
        moments = {"start": f"{begin:.3f}", "end": f"{end:.3f}"}
        try:
            return exemplars_of(self._answer("query_exemplars", {"query": query, **moments}))
        except WrongAnswer as wrong:
            raise wrong_answer(self.connection, wrong) from wrong

    def _part(self, query: str, steps: Steps) -> tuple[Series, ...]:
        given = {name: str(value) for name, value in steps._asdict().items()}
        return series_of(self._answer("query_range", {"query": query, **given}))

    def _answer(self, path: str, form: Mapping[str, str]) -> bytes:
        """Send a query.

        Raises:
            BackendError: there is no answer, or it is none of a query.
        """
        limit = {"timeout": f"{self.connection.timeout:g}s"}
        try:
            status, headers, body = self._sent(path, {**form, **_WHOLE, **limit})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise no_answer(self.connection, error) from error
        if status != HTTPStatus.OK:
            raise refused(self.connection, status, headers, body)
        return body

    def _sent(self, path: str, form: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body; a body that never ends is a time-out."""
        connection = self.connection
        until = time.monotonic() + connection.timeout
        url = f"{connection.url}/api/v1/{path}"
        with (
            httpx.Client(
                auth=connection.user,
                headers=connection.request_headers,
                verify=connection.certificates,
                timeout=connection.timeout,
            ) as client,
            client.stream("POST", url, data=form) as response,
        ):
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer does not end")
                if len(body) > _LARGEST:
                    raise httpx.ReadError("the answer is too large")
            return response.status_code, response.headers, bytes(body)
