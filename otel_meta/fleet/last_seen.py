"""When each SLO of each service was recorded for the last time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from otel_meta.render.rules import series_names

from .prometheus_api import PrometheusApi
from .slo_keys import Asked, SloKey

_STALE: Final = 300
"""Seconds without an evaluation after which recordings say nothing about the present."""
_MEMORY: Final = "7d"


class LastSeen(NamedTuple):
    """The times of the last recordings, of the last week."""

    at: int
    """The present, in seconds since 1970."""
    names: frozenset[str]
    """The names of all recorded SLOs, whoever declares them."""
    times: Mapping[SloKey, float]
    """By the SLOs and services that are asked for."""

    def is_fresh(self, key: SloKey) -> bool:
        """Return True if the rules of an SLO were evaluated a short time ago."""
        return self.at - self.times[key] <= _STALE


def last_seen(api: PrometheusApi, asked: Asked, at: int) -> LastSeen:
    """Ask for the last recordings; those of more than five minutes ago are known to the hour."""
    time = f"timestamp({series_names.TOTAL_CUMULATIVE})"
    by = ", ".join((series_names.SLO, *asked.identity))
    found = api.instant(f"max by ({by}) ({time} or max_over_time({time}[{_MEMORY}:1h]))", at)
    times: dict[SloKey, float] = {}
    for one in found:
        if key := asked.key(one.labels):
            times[key] = max(one.value, times.get(key, one.value))
    return LastSeen(at, frozenset(one.labels.get(series_names.SLO, "") for one in found), times)
