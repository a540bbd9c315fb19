"""What the tracker in the process says of a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from otel_meta.model import Instrument
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.slo.tracker import INTERVAL, SloTracker
from otel_meta.status.status import Status
from otel_meta.testing import FakeClock
from tests.fleet.agreement.trace import SECONDS, SLO, Acme, Trace


class Restarting:
    """The series of a worker that may begin anew, as the tracker of the whole service sees them."""

    def __init__(self) -> None:
        self.storage = MetricStorage(Faults())

    def family(self, instrument: Instrument[...], /) -> _Family:
        """Return the series of an instrument."""
        return _Family(self, instrument)

    def refresh(self) -> None:
        """Find the present series."""
        self.storage.refresh()


class _Family:
    def __init__(self, source: Restarting, instrument: Instrument[...]) -> None:
        self._source = source
        self._instrument = instrument

    def cells(self) -> Iterable[Any]:
        """Return the cells of the present worker."""
        return self._source.storage.family(self._instrument).cells()


def by_the_tracker(trace: Trace) -> Status:
    """Replay a trace, ten seconds at a time, and return the status at its end."""
    source, clock = Restarting(), FakeClock()
    tracker = SloTracker(source, clock)
    tracker.track(Acme)
    for start, stop in _steps(trace):
        if start in trace.restarts:
            source.storage = MetricStorage(Faults())
        source.storage.recorder(Acme.calls).add(int(trace.total[stop] - trace.total[start]))
        source.storage.recorder(Acme.failures).add(int(trace.bad[stop] - trace.bad[start]))
        clock.now = float(stop)
        tracker.sample()
    return tracker.status(SLO)


def _steps(trace: Trace) -> Iterator[tuple[int, int]]:
    step = int(INTERVAL)
    assert all(start % step == 0 for start in trace.restarts)
    yield from ((start, start + step) for start in range(0, SECONDS, step))
