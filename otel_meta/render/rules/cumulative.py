"""Cumulative counts of an SLO's events: counters that the rules carry on themselves.

Each evaluation counts the raw counters of the last hours again and adds the count to its own value
before these hours. A gap in scrapes, a stopped Prometheus or a stalled ruler therefore loses
nothing that the counters still hold. The count over any longer span is a difference of two values,
at a cost that grows neither with the number of series nor with the length of the span.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import starmap
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_meta.model import Duration, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.render.options import Options

from . import series_names
from .intervals import EVALUATION_INTERVAL, RECOUNT_SPAN
from .promql_builder import equals, indented, labelled, lines, one_of, selector, slo_series, sum_by

_STEP: Final = Duration("2h")
"""The step in which a value before a hole is searched for.

The counts go on for `RECOUNT_SPAN` after the data of a service, so that a step finds the last."""
_MEMORY: Final = Duration("7d")
"""The time beyond the period for which a service may be away and continue with its counts."""
_DAMPED: Final = "0.95"
"""Extrapolation adds at most 2 * scrape interval / 1h to an increase over an hour. The factor keeps
the counts that depend on it below the truth."""
_BEFORE_HOUR: Final = Duration(f"{BURN_RATE_SPAN.seconds + EVALUATION_INTERVAL.seconds}s")
"""The hour is recorded up to an interval earlier: no event is counted before and inside of it."""
_GAP: Final = Duration("1d")
"""The longest gap of the rules whose events are known late."""
_GAP_STEP: Final = Duration("10m")


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
        return self._own(self.name)

    @property
    def on(self) -> str:
        """The labels of a service, for joins."""
        return f"on ({', '.join(self.options.identity.service)})"

    def expression(self) -> str:
        """Return the expression to record: the largest of the values that the counts allow.

        The first value is exact wherever the rules were evaluated `RECOUNT_SPAN` ago. The second
        helps while they were not. The third is the value of the last evaluation: a count never goes
        back. The count ends with the data of the service.
        """
        recount = self._own(self.recount)
        again = [f"{recount}", f"+ {self.on} (", *self.before(RECOUNT_SPAN, recount), ")"]
        recent = f"{_DAMPED} * {self._own(self.hour)} + {self.now} offset {_BEFORE_HOUR}"
        values = lines(
            labelled(lines(*again), "since", str(RECOUNT_SPAN)),
            "or",
            labelled(recent, "since", str(BURN_RATE_SPAN)),
            "or",
            self.now,
        )
        by = ", ".join(self.options.identity.service)
        return lines(f"max by ({by}) (", indented(values), f") and {self.on}", self._seen())

    def over(self, span: Duration) -> str:
        """Return the number of events over a span."""
        return lines(self.now, f"- {self.on} (", *self.before(span, self.now), ")")

    def counted(self, span: Duration) -> str:
        """Return the number of events that were counted within a span, whenever they occurred.

        It is larger than the number of events that occurred within the span after a gap in scrapes
        or evaluations. A count that has just begun has none.
        """
        then = f"{self.now} offset {span}"
        last = f"max_over_time({self.now}[{_GAP}:{_GAP_STEP}] offset {span})"
        return lines(self.now, "-", f"({then} or {last})")

    def coverage(self, span: Duration) -> str:
        """Return the share of the steps in a span in which the count has a value."""
        held = f"count_over_time({self.past()}[{span}:{_STEP}])"
        if self.slo.formerly:
            held = sum_by(self.options.identity.service, held)
        return f"clamp_max({held} / {span.seconds // _STEP.seconds}, 1)"

    def before(self, span: Duration, present: str) -> Iterator[str]:
        """Yield the value before a span: the last known value in a hole, 0 if there is none."""
        beyond = self.slo.period.seconds + _MEMORY.seconds - span.seconds
        memory = max(Duration(f"{max(beyond, 1)}s"), _MEMORY)
        past = self.past()
        then = f"{past} offset {span}"
        last = f"max_over_time({past}[{memory}:{_STEP}] offset {span})"
        for number, value in enumerate((then, last, f"0 * {present}")):
            known = self.once(value)
            yield f"  {'or ' if number else ''}{known}"

    def once(self, value: str) -> str:
        """Return a value without the name of the SLO, if it may have had several names."""
        return sum_by(self.options.identity.service, value, "max") if self.slo.formerly else value

    def past(self, service: Mapping[str, str] = MappingProxyType({})) -> str:
        """Return the selector of values under every name of the SLO, of some services."""
        names = one_of(series_names.SLO, (self.slo.name, *self.slo.formerly))
        return selector(self.name, [names, *starmap(equals, service.items())])

    def _own(self, name: str) -> str:
        return slo_series(name, self.slo)

    def _seen(self) -> str:
        """Return a condition: the service had data within the declared time."""
        total = self._own(series_names.total(RECOUNT_SPAN))
        longer = self.slo.no_data_after.seconds - RECOUNT_SPAN.seconds
        if longer <= 0:
            return total
        return f"({total} or max_over_time({total}[{Duration(f'{longer}s')}:{_GAP_STEP}]))"


def cumulative(slo: Slo, options: Options) -> tuple[Cumulative, Cumulative]:
    """Return the cumulative counts of the bad and of all events."""
    bad, total = (
        Cumulative(slo, options, name, over(RECOUNT_SPAN), over(BURN_RATE_SPAN))
        for name, over in (
            (series_names.BAD_CUMULATIVE, series_names.bad),
            (series_names.TOTAL_CUMULATIVE, series_names.total),
        )
    )
    return bad, total
