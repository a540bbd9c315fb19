"""History of event counts: 10-second steps for the last hour, coarser steps for older samples."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from operator import itemgetter
from typing import Final

from otel_meta.status.events import Events

Sample = tuple[float, Events]

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_TIERS: Final = ((10.0, 1.2 * _HOUR), (120.0, 7 * _HOUR), (600.0, 3.1 * _DAY))
"""Seconds between samples, and seconds until a sample expires. The counts of a window are off by
at most one step: 10 s of 5 min, 2 min of 6 h, 10 min of 1 day."""
_COARSEST: Final = 1800.0
_NONE: Final = Events(0.0, 0.0)

_time_of: Final = itemgetter(0)


class History:
    """Cumulative counts of an SLO over a period.

    Args:
        start: the beginning, in seconds on the tracker's clock.
        period: length of the SLO's period in seconds.
        events: the counts at the start.
    """

    def __init__(self, start: float, period: float, events: Events = _NONE) -> None:
        self._first: Final[Sample] = (start, events)
        tiers = (*_TIERS, (_COARSEST, period + 2 * _COARSEST))
        self._tiers: Final = [_Tier(step, span) for step, span in tiers]

    def add(self, now: float, events: Events) -> None:
        """Add a sample to each tier if the step has passed since the last sample."""
        for tier in self._tiers:
            tier.add((now, events))

    def before(self, moment: float) -> Sample:
        """Return the latest sample at or before a moment; the start if there is none."""
        for tier in self._tiers:
            found = tier.before(moment)
            if found is not None:
                return found
        return self._first


class _Tier:
    def __init__(self, step: float, span: float) -> None:
        self._step: Final = step
        self._span: Final = span
        self._samples: Final[deque[Sample]] = deque()

    def add(self, sample: Sample) -> None:
        if self._samples and sample[0] - self._samples[-1][0] < self._step:
            return
        self._samples.append(sample)
        while self._samples[0][0] < sample[0] - self._span:
            self._samples.popleft()

    def before(self, moment: float) -> Sample | None:
        at = bisect_right(self._samples, moment, key=_time_of)
        return self._samples[at - 1] if at else None
