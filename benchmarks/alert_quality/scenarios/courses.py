"""Traffic that changes: day and night, busy hours, weekends."""

from __future__ import annotations

import numpy as np

from alert_quality.scenario import Scenario, around
from alert_quality.services import DAY, HOUR, MINUTE, Fault
from alert_quality.traffic import during, service, step

_OPENS, _CLOSES = 8, 18


def busy_hour() -> Scenario:
    """Most requests in one hour."""
    seconds, start = 3 * DAY, int(1.5 * DAY)
    fault = Fault(start=start, stop=start + HOUR, share=0.03)
    rate = step(seconds, start, start + HOUR, 400.0, 1.0)
    return Scenario(
        name="busy hour",
        story="One request a second, and one hour of 400 a second in which 3 % fail.",
        seconds=seconds,
        services=(service("busy", seconds, rate, [fault], 300),),
        checks=(start - MINUTE, start + 70 * MINUTE, start + 12 * HOUR, seconds - MINUTE),
        watched=(*around(start, seconds), (start + 12 * HOUR - 12 * MINUTE, start + 12 * HOUR)),
    )


def day_and_night() -> Scenario:
    """Nights with many failures among few requests."""
    seconds = 6 * DAY
    second = (np.arange(seconds) + 9 * HOUR) % DAY
    night = (second < 6 * HOUR) | (second >= 22 * HOUR)
    rate, share = np.where(night, 0.2, 50.0), np.where(night, 0.05, 1e-5)
    return Scenario(
        name="day and night",
        story="50 requests a second by day; 0.2 by night, of which 5 % fail.",
        seconds=seconds,
        services=(service("daynight", seconds, rate, [], 310, share=share),),
        checks=(DAY, 3 * DAY, 5 * DAY, seconds - MINUTE),
        watched=(
            (2 * DAY - 30 * MINUTE, 2 * DAY + 30 * MINUTE),
            (int(2.5 * DAY), int(3.1 * DAY)),
            (5 * DAY - 30 * MINUTE, 5 * DAY + 10 * MINUTE),
            (seconds - 30 * MINUTE, seconds),
        ),
    )


def office_hours() -> Scenario:
    """A service that rests at night and on weekends."""
    seconds = int(4.6 * DAY)
    hours = (np.arange(seconds) + 9 * HOUR) // HOUR  # a Thursday, 9 o'clock
    days, hour = hours // 24, hours % 24
    is_open = np.isin(days % 7, (0, 1, 4, 5, 6)) & (hour >= _OPENS) & (hour < _CLOSES)
    fault = Fault(start=4 * DAY, stop=4 * DAY + 30 * MINUTE, share=0.1)
    return Scenario(
        name="office hours",
        story="Requests on weekdays from 8 to 18 only; 10 % fail for half an hour on Monday.",
        seconds=seconds,
        services=(service("office", seconds, np.where(is_open, 5.0, 0.0), [fault], 330),),
        checks=(9 * HOUR - 10 * MINUTE, 2 * DAY, 4 * DAY - 10 * MINUTE, 4 * DAY + HOUR),
        watched=((9 * HOUR, 16 * HOUR), *around(4 * DAY, seconds)),
    )


def night_outage() -> Scenario:
    """An outage while few requests come."""
    seconds, start = int(1.75 * DAY), int(1.25 * DAY)
    rate = step(seconds, int(DAY), int(1.5 * DAY), 0.02, 20.0)
    outage = Fault(start=start, stop=start + 2 * HOUR, share=1)
    half = Fault(start=start, stop=start + 3 * HOUR, share=0.5)
    healthy = np.asarray(rate, dtype=np.float64)
    return Scenario(
        name="night outage",
        story="72 requests an hour by night: all fail for two hours, half for three, none.",
        seconds=seconds,
        services=(
            service("night-all", seconds, rate, [outage], 340),
            service("night-half", seconds, rate, [half], 341),
            service("night-none", seconds, healthy, [], 342, share=during(seconds, [])),
        ),
        checks=(start - MINUTE, start + 190 * MINUTE, seconds - MINUTE),
        watched=around(start, seconds),
    )
