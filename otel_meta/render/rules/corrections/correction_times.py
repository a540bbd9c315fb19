"""Corrections in time: conditions in PromQL that are true from a moment on, or until a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from otel_meta.model import Slo
from otel_meta.render.rules.promql_builder import number

_NOW: Final = "vector(time())"


class Times(Protocol):
    """The times of a correction."""

    @property
    def begin(self) -> datetime:
        """The first moment."""
        ...

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        ...


def seconds(moment: datetime) -> str:
    """Return a time in seconds since 1970, for PromQL."""
    return number(moment.timestamp())


def after(moment: datetime) -> str:
    """Return a condition on any series: the moment is reached."""
    return f"and on () ({_NOW} >= {seconds(moment)})"


def in_period(times: Times, slo: Slo) -> str:
    """Return a condition on any series: a part of a correction lies in the SLO's period."""
    left = number(times.end.timestamp() + slo.period.seconds)
    return f"and on () ({_NOW} >= {seconds(times.begin)} < {left})"
