"""The times of a range query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

_POINTS: Final = 5_000
"""Points of a series in one answer; Prometheus refuses more than 11,000."""


class Steps(NamedTuple):
    """The times of a range query, in seconds since 1970; both ends are included."""

    start: int
    end: int
    step: int

    @classmethod
    def back(cls, seconds: int, end: int, points: int) -> Steps:
        """Return at most so many points over the seconds until ``end``, which is the last."""
        step = max(-(-seconds // (points - 1)), 1)
        return cls(end - seconds // step * step, end, step)

    @property
    def times(self) -> range:
        """Every time."""
        return range(self.start, self.end + 1, self.step)

    def parts(self) -> Iterator[Steps]:
        """Yield parts of the range that one answer can hold."""
        width = self.step * _POINTS
        for start in range(self.start, self.end + 1, width):
            yield Steps(start, min(self.end, start + width - self.step), self.step)
