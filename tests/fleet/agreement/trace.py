"""Traces of events with restarts, gaps in scrapes and idle times, made by hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from otel_meta import Counter, Duration, MetaRepo, NoLabels, Slo
from otel_meta.model import BurnWindow

HOUR = 3600
SECONDS = 14 * HOUR
"""The length of a trace: two hours more than the period."""

Kind = Literal["runs", "restarts", "is not scraped"]
Counts = NDArray[np.int64]


class Acme(MetaRepo, name="acme", owner="us"):
    """Calls."""

    calls = Counter("acme.calls", "Calls.", NoLabels)
    failures = Counter("acme.failures", "Failures.", NoLabels)

    availability = Slo(
        "acme-availability",
        objective="99%",
        period="12h",
        sli=calls.ratio(bad=failures),
        why="Callers wait.",
        burn_windows=(
            BurnWindow("page", Fraction(1, 4), Duration("1h"), Duration("5m")),
            BurnWindow("page", Fraction(1, 2), Duration("3h"), Duration("15m")),
            BurnWindow("ticket", Fraction(3, 4), Duration("6h"), Duration("30m")),
        ),
    )


SLO = Acme.availability


@dataclass(frozen=True)
class Segment:
    """Some minutes of constant traffic; a process that restarts does so at the beginning."""

    minutes: int
    rate: int
    """Events a second; 0 is idle."""
    bad: float
    """Share of bad events."""
    kind: Kind


@dataclass(frozen=True)
class Trace:
    """What a service did in each second: the segments, and before them the first of them."""

    segments: tuple[Segment, ...]

    @cached_property
    def parts(self) -> list[tuple[int, int, Segment]]:
        """Each segment with its first second, and the second after its last."""
        lengths = [60 * segment.minutes for segment in self.segments]
        lengths[0] += SECONDS - sum(lengths)
        ends = np.cumsum(lengths).tolist()
        starts = [0, *ends[:-1]]
        return list(zip(starts, ends, self.segments, strict=True))

    @cached_property
    def total(self) -> Counts:
        """All events until the end of each second; the first value is that of the start."""
        rates = np.empty(SECONDS, dtype=np.int64)
        for start, stop, segment in self.parts:
            rates[start:stop] = segment.rate
        return np.concatenate([[0], np.cumsum(rates)])

    @cached_property
    def bad(self) -> Counts:
        """All bad events until the end of each second."""
        shares = np.empty(SECONDS)
        for start, stop, segment in self.parts:
            shares[start:stop] = segment.rate * segment.bad
        return np.concatenate([[0], np.floor(np.cumsum(shares) + 1e-6)]).astype(np.int64)

    @property
    def restarts(self) -> list[int]:
        """The seconds at which a process begins anew."""
        return [start for start, _, segment in self.parts if segment.kind == "restarts"]

    @property
    def gaps(self) -> Iterator[tuple[int, int]]:
        """The spans in which nothing is scraped."""
        for start, stop, segment in self.parts:
            if segment.kind == "is not scraped":
                yield start, stop


SHARES = (0.0, 0.0, 0.002, 0.008, 0.02, 0.1, 0.5, 1.0)

segments = st.builds(
    Segment,
    minutes=st.integers(2, 90),
    rate=st.sampled_from((0, 1, 3, 20)),
    bad=st.sampled_from(SHARES),
    kind=st.sampled_from(("runs", "runs", "runs", "runs", "restarts", "is not scraped")),
)
first_segments = st.builds(
    Segment,
    minutes=st.just(1),
    rate=st.sampled_from((0, 1, 3, 20)),
    bad=st.sampled_from((0.0, 0.002, 0.009, 0.03)),
    kind=st.just("runs"),
)
traces = st.builds(
    lambda first, others: Trace((first, *others)),
    first_segments,
    st.lists(segments, min_size=1, max_size=8),
)
