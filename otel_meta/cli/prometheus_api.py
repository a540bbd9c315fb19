"""Range queries to a Prometheus, with errors of one line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from math import isfinite
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from otel_meta.errors import BackendError

_POINTS: Final = 5_000
"""Points of a series in one answer; Prometheus refuses more than 11,000."""

Labels = frozenset[tuple[str, str]]


class Steps(NamedTuple):
    """The times of a range query, in seconds since 1970; both ends are included."""

    start: int
    end: int
    step: int

    @property
    def times(self) -> range:
        """Every time."""
        return range(self.start, self.end + 1, self.step)

    def parts(self) -> Iterator[Steps]:
        """Yield parts of the range that one answer can hold."""
        width = self.step * _POINTS
        for start in range(self.start, self.end + 1, width):
            yield Steps(start, min(self.end, start + width - self.step), self.step)


class PrometheusApi:
    """The HTTP API of a Prometheus, or of a server with the same API."""

    def __init__(self, url: str, timeout: float) -> None:
        """Remember the address.

        Args:
            url: base URL.
            timeout: seconds for one query.
        """
        self._url: Final = url.rstrip("/")
        self._timeout: Final = timeout

    def values(self, query: str, steps: Steps) -> dict[Labels, dict[int, float]]:
        """Return the finite values of each series by time, without the name of the series.

        Raises:
            BackendError: the server does not answer, or refuses the query.
        """
        found: dict[Labels, dict[int, float]] = {}
        for part in steps.parts():
            for series in self._answer(query, part):
                labels = _labels(series["metric"])
                samples = {round(float(at)): float(value) for at, value in series["values"]}
                samples = {at: value for at, value in samples.items() if isfinite(value)}
                found.setdefault(labels, {}).update(samples)
        return found

    def _answer(self, query: str, steps: Steps) -> list[Any]:
        given = {"query": query, "start": steps.start, "end": steps.end, "step": steps.step}
        body = urlencode({**given, "timeout": f"{self._timeout:g}s"}).encode()
        request = Request(f"{self._url}/api/v1/query_range", body)  # noqa: S310  # checked URL
        try:
            with urlopen(request, timeout=self._timeout) as response:  # noqa: S310  # likewise
                answer = json.load(response)
        except HTTPError as error:
            raise BackendError(f"--prometheus {self._url}: {_reason(error)}") from error
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error or type(error).__name__
            raise BackendError(f"--prometheus {self._url}: cannot be asked: {reason}") from error
        result: list[Any] = answer["data"]["result"]
        return result


def _labels(metric: Mapping[str, str]) -> Labels:
    return frozenset((name, value) for name, value in metric.items() if name != "__name__")


def _reason(error: HTTPError) -> str:
    """Return the reason in the body of an error, or the status."""
    try:
        return f"refuses a query: {json.loads(error.read())['error']}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"answers {error.code} {error.reason}"
