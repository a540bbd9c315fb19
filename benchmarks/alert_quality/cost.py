"""Samples that the rules of an SLO read each minute, after a whole period of history."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alert_quality.contenders import Contender
from alert_quality.engine import RuleSet, run
from alert_quality.scenario import AVAILABILITY, Scenario
from alert_quality.services import MINUTE
from alert_quality.traffic import service

PODS: Final = (1, 2, 8)
_MEASURED: Final = 15
"""Minutes: every group of every tool is evaluated in them."""


def history(pods: int) -> Scenario:
    """Return a healthy service with a month of history."""
    seconds = AVAILABILITY.period + 30 * MINUTE
    return Scenario(
        name=f"{pods} pods",
        story="A healthy service for a month.",
        seconds=seconds,
        services=(service("steady", seconds, 20, [], 3000 + pods, pods=pods),),
        checks=(),
        watched=((seconds - _MEASURED * MINUTE, seconds),),
    )


def samples_a_minute(scenario: Scenario, contender: Contender, cache: Path | None) -> float:
    """Return the samples that all rules of a tool read each minute, with those of its tickets."""
    files = {
        name: document
        for name, document in contender.files(scenario)
        if not name.startswith(("cross", "telemetry"))  # one for all SLOs
    }
    outcome = run(scenario, [RuleSet(name=contender.name, files=files)], cache=cache)
    return outcome.samples_read[contender.name] / _MEASURED
