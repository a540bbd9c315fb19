"""Tracker, rules and a count by hand say the same of one trace, within the stated bounds.

Six traces are services of one run. ``AGREEMENT_RUNS=50`` makes more runs than an ordinary test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from otel_meta.render.options import ANCHORED, Options
from otel_meta.status.status import Status
from tests.fleet.agreement.oracle import ANCHORED_RULES, RULES, TRACKER, Bounds, Oracle, Range
from tests.fleet.agreement.rules import by_the_rules
from tests.fleet.agreement.trace import SLO, Trace, traces
from tests.fleet.agreement.tracker import by_the_tracker

_RUNS = int(os.environ.get("AGREEMENT_RUNS", "2"))
_TOGETHER = 6
many_traces = st.lists(traces, min_size=_TOGETHER, max_size=_TOGETHER, unique=True)
without_shrinking = settings(max_examples=_RUNS, phases=(Phase.generate,), database=None)


@pytest.mark.parametrize(
    ("options", "bounds"),
    [(Options(), RULES), (Options(prometheus=ANCHORED), ANCHORED_RULES)],
    ids=["extrapolated", "anchored"],
)
@without_shrinking
@given(found=many_traces)
def test_rules_agree_with_the_truth(found: list[Trace], options: Options, bounds: Bounds) -> None:
    """The fleet's counts, budget, burn rates and state from the rules are within the bounds."""
    with TemporaryDirectory() as folder:
        answers = list(by_the_rules(found, Path(folder), options))

    assert len(found) == len(answers)
    for trace, status in answers:
        assert [] == list(disagreements(status, Oracle(trace, bounds))), trace


@settings(max_examples=10 * _RUNS)
@given(trace=traces)
def test_tracker_agrees_with_the_truth(trace: Trace) -> None:
    """The tracker's counts, budget, burn rates and state are within its bounds."""
    assert [] == list(disagreements(by_the_tracker(trace), Oracle(trace, TRACKER)))


def disagreements(status: Status, truth: Oracle) -> Iterator[str]:
    """Yield each value of a status that is outside of the bounds."""
    period = SLO.period.seconds
    yield from _outside("bad", status.events.bad, truth.counts("bad", period))
    yield from _outside("total", status.events.total, truth.counts("total", period))
    left = status.budget.left
    if left is not None:
        yield from _outside("budget left", float(left), truth.left())
    for span, burn in status.burns.items():
        if burn.rate is not None:
            yield from _outside(f"burn of {span}", burn.rate, truth.burn_rate(span.seconds))
        elif truth.counts("total", span.seconds).low > 0:
            yield f"no burn of {span}"
        if burn.bad is not None:
            yield from _outside(f"bad of {span}", burn.bad, truth.counts("bad", span.seconds))
    if status.state not in truth.states():
        yield f"{status.state} in place of {truth.states()}"


def _outside(what: str, value: float, allowed: Range) -> Iterator[str]:
    if not allowed.low - _DUST <= value <= allowed.high + _DUST:
        yield f"{what}: {value} in place of {allowed.low} to {allowed.high}"


_DUST = 1e-6
"""Sums of floats differ by less."""
