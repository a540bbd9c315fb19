"""The finite values of series, by their labels."""

from __future__ import annotations

from math import isfinite

from .prometheus_api import PrometheusApi
from .steps import Steps

Labels = frozenset[tuple[str, str]]


def values_by_series(
    api: PrometheusApi, query: str, steps: Steps
) -> dict[Labels, dict[int, float]]:
    """Return the finite values of each series by time, by its labels without the name.

    Raises:
        BackendError: the server does not answer, or refuses the query.
    """
    return {
        frozenset((name, value) for name, value in one.labels.items() if name != "__name__"): {
            at: value for at, value in one.values.items() if isfinite(value)
        }
        for one in api.range(query, steps)
    }
