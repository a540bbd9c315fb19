"""The HTTP API of Prometheus, which Thanos, Mimir and VictoriaMetrics have as well."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

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
from .failures import refused, wrong_answer
from .http_request import send
from .steps import Steps

_WHOLE: Final = {"partial_response": "false", "deny_partial_response": "1", "nocache": "1"}
"""Thanos and VictoriaMetrics refuse to answer with a part of the data, and VictoriaMetrics moves no
step of a range; a server that does not know a field ignores it."""


class PrometheusApi:
    """Queries to a server; each failure is a `BackendError` of one line.

    The proxies in the usual variables (``HTTPS_PROXY``, ``NO_PROXY``) are used.
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
        url = f"{self.connection.url}/api/v1/{path}"
        answer = send(self.connection, url, {**form, **_WHOLE, **limit})
        if answer.status != HTTPStatus.OK:
            raise refused(self.connection, *answer)
        return answer.body
