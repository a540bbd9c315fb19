"""Prometheus itself: down, stalled, slow, doubled, loaded late; clocks; places."""

from __future__ import annotations

from typing import Final

from alert_quality.scenario import Scenario, around
from alert_quality.services import DAY, HOUR, MINUTE, Fault
from alert_quality.traffic import during, service

_LONG: Final = int(1.6 * DAY)


def prometheus_down() -> Scenario:
    """Half an hour without Prometheus."""
    return _down("Prometheus down 30 min", 30)


def prometheus_down_long() -> Scenario:
    """A working day without Prometheus."""
    return _down("Prometheus down 8 h", 8 * 60)


def _down(name: str, minutes: int) -> Scenario:
    start, stop = DAY, DAY + minutes * MINUTE
    through = Fault(start=start - 10 * MINUTE, stop=stop + 10 * MINUTE, share=0.05)
    within = Fault(start=start + 2 * MINUTE, stop=start + 28 * MINUTE, share=0.3)
    return Scenario(
        name=name,
        story="5 % fail from ten minutes before to ten minutes after; 30 % for 26 minutes within.",
        seconds=_LONG,
        services=(
            service("through", _LONG, 20, [through], 1100),
            service("within", _LONG, 20, [within], 1101),
        ),
        down=((start, stop),),
        checks=(start - 11 * MINUTE, stop + 20 * MINUTE, stop + 90 * MINUTE, _LONG - MINUTE),
        watched=((start - 30 * MINUTE, stop + 3 * HOUR), (_LONG - 12 * MINUTE, _LONG)),
    )


def rules_stalled() -> Scenario:
    """Scrapes go on, rules do not."""
    fault = Fault(start=DAY + 2 * MINUTE, stop=DAY + 28 * MINUTE, share=0.3)
    return Scenario(
        name="rules stall 30 min",
        story="No rule is evaluated for 30 minutes in which 30 % fail; scrapes go on.",
        seconds=_LONG,
        services=(service("stalled", _LONG, 20, [fault], 1200),),
        stalled=((DAY, DAY + 30 * MINUTE),),
        checks=(DAY - MINUTE, DAY + 33 * MINUTE, DAY + 90 * MINUTE, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def rules_loaded_late() -> Scenario:
    """Rules for a service that has long been there."""
    fault = Fault(start=DAY + 5 * MINUTE, stop=DAY + 65 * MINUTE, share=0.2)
    return Scenario(
        name="rules loaded late",
        story="The rules are loaded on the second day; five minutes later 20 % fail.",
        seconds=_LONG,
        services=(
            service("old", _LONG, 20, [fault], 1250),
            service("old-healthy", _LONG, 20, [], 1251),
        ),
        rules_from=DAY,
        checks=(DAY + 4 * MINUTE, DAY + 2 * HOUR, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def slow_scrapes() -> Scenario:
    """One scrape a minute."""
    faults = {
        "slow-all": Fault(start=DAY, stop=DAY + 20 * MINUTE, share=1),
        "slow-5": Fault(start=DAY, stop=DAY + HOUR, share=0.05),
        "slow-2-min": Fault(start=DAY, stop=DAY + 2 * MINUTE, share=1),
    }
    return Scenario(
        name="scrapes each minute",
        story="A scrape interval of 60 s: all fail for 20 or 2 minutes, 5 % for an hour.",
        seconds=_LONG,
        services=tuple(
            service(name, _LONG, 20, [fault], 1500 + number)
            for number, (name, fault) in enumerate(faults.items())
        ),
        scrape_interval=60,
        checks=(DAY - MINUTE, DAY + 70 * MINUTE, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def two_scrapers() -> Scenario:
    """A pair of Prometheus servers in one store."""
    fault = Fault(start=DAY, stop=DAY + 30 * MINUTE, share=0.3)
    return Scenario(
        name="two scrapers",
        story="Two servers scrape the same pods into one store, which keeps both series.",
        seconds=_LONG,
        services=(
            service("doubled", _LONG, 20, [fault], 1550),
            service("doubled-healthy", _LONG, 20, [], 1551),
        ),
        scrapers=({"prometheus_replica": "a"}, {"prometheus_replica": "b"}),
        checks=(DAY - MINUTE, DAY + 70 * MINUTE, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )


def clocks() -> Scenario:
    """Series that processes push, with clocks that are off."""
    seconds = int(1.3 * DAY)
    fault = Fault(start=DAY, stop=DAY + HOUR, share=0.3)
    errors = {"clock-behind": -120, "clock-right": 0, "clock-ahead": 120}
    return Scenario(
        name="clocks",
        story="Processes push their series with clocks off by -2, 0 and +2 minutes; 30 % fail.",
        seconds=seconds,
        services=tuple(
            service(name, seconds, 20, [fault], 2000 + number, clock_error=error)
            for number, (name, error) in enumerate(errors.items())
        ),
        out_of_order=1800,
        checks=(DAY - MINUTE, DAY + 2 * HOUR, seconds - MINUTE),
        watched=((DAY - 20 * MINUTE, seconds),),
    )


def environments() -> Scenario:
    """Production and staging in one Prometheus."""
    fault = Fault(start=DAY, stop=DAY + 2 * HOUR, share=0.5)
    place = "deployment_environment_name"
    staging = during(_LONG, [fault], 1e-3)
    return Scenario(
        name="environments",
        story="Production is healthy; in staging, half of a tenth of its traffic fails.",
        seconds=_LONG,
        services=(
            service("shop", _LONG, 20, [], 1400, places={place: "production"}),
            service("shop", _LONG, 2, [fault], 1401, share=staging, places={place: "staging"}),
        ),
        checks=(DAY - MINUTE, DAY + 130 * MINUTE, _LONG - MINUTE),
        watched=around(DAY, _LONG),
    )
