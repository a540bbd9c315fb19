"""Counts of events."""

from __future__ import annotations

from typing import Final, NamedTuple


class Events(NamedTuple):
    """Bad events and all events; for time slices, seconds."""

    bad: float
    total: float


NO_EVENTS: Final = Events(0.0, 0.0)
