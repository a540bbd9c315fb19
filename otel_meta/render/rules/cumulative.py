"""Cumulative counts of an SLO's events: counters that the rules carry on themselves.

Each evaluation counts the raw counters of the last hours again and adds the count to its own value
before these hours. A gap in scrapes, a stopped Prometheus or a stalled ruler therefore loses
nothing that the counters still hold. The count over any longer span is a difference of two values,
at a cost that grows neither with the number of series nor with the length of the span.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from otel_meta.model import Duration, Slo
from otel_meta.render.options import Options

from . import series_names
from .intervals import BURN_RATE_SPAN, RECOUNT_SPAN
from .promql_builder import equals, lines, one_of, selector, sum_by

_STEP: Final = Duration("1h")
"""The step in which a value before a hole is searched for."""
_MEMORY: Final = Duration("7d")
"""The time beyond the period for which a service may be away and continue with its counts."""
_DAMPED: Final = "0.95"
"""Extrapolation adds at most 2 * scrape interval / 1h to an increase over an hour. The factor keeps
the counts that depend on it below the truth."""
_SINCE_HOUR: Final = f"offset {BURN_RATE_SPAN.seconds // 60 + 1}m"
"""An hour and the interval of evaluation: no event is counted before and after."""


class Cumulative(NamedTuple):
    """A cumulative count of an SLO, and the recorded counts that it is made of."""

    slo: Slo
    options: Options
    name: str
    """Name of the series."""
    recount: str
    """Name of the count over `RECOUNT_SPAN`."""
    hour: str
    """Name of the count over an hour."""

    @property
    def now(self) -> str:
        """The selector of the present value."""
        return selector(self.name, [equals(series_names.SLO, self.slo.name)])

    def expression(self) -> str:
        """Return the expression to record: the largest of the values that the counts allow.

        The first arm is exact wherever the rules were evaluated `RECOUNT_SPAN` ago. The second arm
        helps while they were not. The third arm is the value of the last evaluation: a count never
        goes back. The count ends with the data of the service.
        """
        by = self.options.identity.service
        recount = self._own(self.recount)
        again = f"{recount} + on ({', '.join(by)}) ({self._before(RECOUNT_SPAN, f'0 * {recount}')})"
        recent = f"{_DAMPED} * {self._own(self.hour)} + {self.now} {_SINCE_HOUR}"
        arms = lines(
            "(",
            f'  label_replace({again}, "since", "{RECOUNT_SPAN}", "", "")',
            "  or",
            f'  label_replace({recent}, "since", "{BURN_RATE_SPAN}", "", "")',
            "  or",
            f"  {self.now}",
            ")",
        )
        return lines(f"max by ({', '.join(by)}) {arms}", f"and on ({', '.join(by)})", self._seen())

    def over(self, span: Duration) -> str:
        """Return the number of events over a span."""
        before = self._before(span, f"0 * {self.now}")
        return f"{self.now} - on ({', '.join(self.options.identity.service)}) ({before})"

    def coverage(self, span: Duration) -> str:
        """Return the share of the steps in a span in which the count has a value."""
        steps = span.seconds // _STEP.seconds
        held = f"count_over_time({self._past()}[{span}:{_STEP}])"
        if self.slo.formerly:
            held = sum_by(self.options.identity.service, held)
        return f"clamp_max({held} / {steps}, 1)"

    def _before(self, span: Duration, none: str) -> str:
        """Return the value before a span: the last known value in a hole, 0 if there is none."""
        memory = Duration(f"{(self.slo.period.seconds + _MEMORY.seconds - span.seconds) or 1}s")
        memory = max(memory, _MEMORY)
        then = f"{self._past()} offset {span}"
        last = f"max_over_time({self._past()}[{memory}:{_STEP}] offset {span})"
        parts = (then, last, none)
        if self.slo.formerly:
            parts = tuple(sum_by(self.options.identity.service, each, "max") for each in parts)
        return " or ".join(parts)

    def _past(self) -> str:
        names = (self.slo.name, *self.slo.formerly)
        return selector(self.name, [one_of(series_names.SLO, names)])

    def _own(self, name: str) -> str:
        return selector(name, [equals(series_names.SLO, self.slo.name)])

    def _seen(self) -> str:
        """Return a condition: the service had data within the declared time."""
        total = self._own(series_names.total(RECOUNT_SPAN))
        longer = self.slo.no_data_after.seconds - RECOUNT_SPAN.seconds
        if longer <= 0:
            return total
        return f"({total} or max_over_time({total}[{Duration(f'{longer}s')}:5m]))"


def cumulative(slo: Slo, options: Options) -> tuple[Cumulative, Cumulative]:
    """Return the cumulative counts of the bad and of all events."""
    return (
        Cumulative(
            slo,
            options,
            series_names.BAD_CUMULATIVE,
            series_names.bad(RECOUNT_SPAN),
            series_names.bad(BURN_RATE_SPAN),
        ),
        Cumulative(
            slo,
            options,
            series_names.TOTAL_CUMULATIVE,
            series_names.total(RECOUNT_SPAN),
            series_names.total(BURN_RATE_SPAN),
        ),
    )
