"""Evaluation of rules by a Prometheus with the history of a fleet."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from otel_meta.render.rules import series_names as series
from otel_meta.repos import BUILTIN

from .backend import ROOT, Prometheus, prometheus
from .fleet import Service, services
from .history import UNCOMPACTED, Past, write

KINDS: Final[tuple[str, ...]] = (
    "SLO recordings",
    "SLO alerts",
    "measures and declared alerts",
    "across SLOs",
)
_CPU: Final = "process_cpu_seconds_total"
_SYS, _RELEASED = "go_memstats_sys_bytes", "go_memstats_heap_released_bytes"
_SETTLE: Final = 5
"""Seconds from the end of the history to the first evaluation."""
_CONFIG: Final = """\
global: {{scrape_interval: 15s, rule_query_offset: {offset}s}}
rule_files: [{folder}/rules/*.yml]
"""


@dataclass(frozen=True)
class Plan:
    """The size of a measurement.

    Attributes:
        raw: seconds of raw series.
        days: days of recorded series.
        interval: seconds between two evaluations; the rules themselves have 60.
        rounds: number of measured evaluations, after a first one.
    """

    raw: int = 6 * 3600
    days: int = 37
    interval: int = 60
    rounds: int = 1


@dataclass(frozen=True)
class Cost:
    """The cost of one evaluation of all rules.

    Attributes:
        services: number of services.
        pairs: number of pairs of a service and an SLO.
        stored: number of samples in the blocks.
        seconds: CPU seconds a round, including other work of Prometheus.
        read: number of read samples, by kind of group.
        elapsed: sum of the seconds of all groups of a kind.
        longest: the slowest group and its seconds; rules of a group run in sequence.
        peak: the query with the most samples in memory, and this number.
        memory: maximal bytes of the process, without mapped files.
    """

    services: int
    pairs: int
    stored: int
    seconds: float
    read: dict[str, int]
    elapsed: dict[str, float]
    longest: tuple[str, float]
    peak: tuple[str, int]
    memory: float


def cost_of(count: int, plan: Plan, folder: Path) -> Cost:
    """Measure the committed rules over a number of services.

    Raises:
        RuntimeError: a rule fails, or does not record one ratio per service and SLO.
    """
    fleet = services(count)
    end = int(time.time()) // 60 * 60
    ahead = plan.interval * (plan.rounds + 2) + 60
    stored = write(Past(end, plan.raw, ahead, plan.days), fleet, folder)
    _copy_rules(folder / "rules", plan)
    # Evaluation begins at the end of the history, regardless of the time to write the history.
    config = _CONFIG.format(offset=int(time.time()) - end + _SETTLE, folder=folder)
    with prometheus(folder, config, *UNCOMPACTED) as served:
        return _measured(served, plan, fleet, stored, end)


def _copy_rules(folder: Path, plan: Plan) -> None:
    folder.mkdir()
    for path in (ROOT / "rules").glob("*.yml"):
        text = path.read_text().replace("interval: 1m", f"interval: {plan.interval}s")
        text = text.replace("interval: 30s", f"interval: {plan.interval // 2}s")
        (folder / path.name).write_text(text)


def _measured(
    served: Prometheus, plan: Plan, fleet: Sequence[Service], stored: int, end: int
) -> Cost:
    time.sleep(plan.interval * 1.1)
    before, memory, groups = served.metrics()[_CPU], 0.0, list[Any]()
    for _ in range(plan.rounds):
        memory = max(memory, *_memory_over(served, plan.interval))
        groups += _groups(served)
    seconds = (served.metrics()[_CPU] - before) / plan.rounds
    pairs = sum(len(service.repo.slos) for service in fleet)
    now = end + int(plan.interval * (plan.rounds + 1.1))
    _expect_ratios(served, pairs, now)
    read, peak = _read(served, plan, now)
    slowest = max(groups, key=lambda group: group["evaluationTime"])
    return Cost(
        services=len(fleet),
        pairs=pairs,
        stored=stored,
        seconds=seconds,
        read=read,
        elapsed=_elapsed(groups, plan),
        longest=(slowest["name"], slowest["evaluationTime"]),
        peak=peak,
        memory=memory,
    )


def _memory_over(served: Prometheus, seconds: float) -> Iterator[float]:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        now = served.metrics()
        yield now[_SYS] - now[_RELEASED]
        time.sleep(min(1.0, left))


def _groups(served: Prometheus) -> list[Any]:
    groups: list[Any] = served.api("rules")["groups"]
    for group in groups:
        for rule in group["rules"]:
            if rule.get("lastError"):
                raise RuntimeError(f"{group['name']}: {rule['name']}: {rule['lastError']}")
    return groups


def _expect_ratios(served: Prometheus, pairs: int, now: float) -> None:
    found = served.query(f"count({series.PERIOD_ERROR_RATIO})", now)["result"]
    count = int(found[0]["value"][1]) if found else 0
    if count != pairs:
        raise RuntimeError(f"{count} ratios are recorded, where {pairs} should be")


def _read(served: Prometheus, plan: Plan, now: float) -> tuple[dict[str, int], tuple[str, int]]:
    read: dict[str, int] = dict.fromkeys(KINDS, 0)
    peak = ("", 0)
    for group in _groups(served):
        for rule in group["rules"]:
            samples = served.query(rule["query"], now)["stats"]["samples"]
            times = _times(group, plan)
            read[kind_of(group["name"])] += times * samples["totalQueryableSamples"]
            peak = max(peak, (rule["name"], samples["peakSamples"]), key=lambda found: found[1])
    return read, peak


def _times(group: Any, plan: Plan) -> int:
    """Return the number of evaluations of a group in a round."""
    seconds: float = group["interval"]
    return round(plan.interval / seconds)


def _elapsed(groups: Sequence[Any], plan: Plan) -> dict[str, float]:
    elapsed: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    for group in groups:
        seconds = _times(group, plan) * group["evaluationTime"]
        elapsed[kind_of(group["name"])] += seconds / plan.rounds
    return elapsed


def kind_of(group: str) -> str:
    """Return the entry of `KINDS` for the name of a group."""
    return _kinds().get(group, KINDS[3])


@cache
def _kinds() -> dict[str, str]:
    kinds: dict[str, str] = {}
    for repo in BUILTIN:
        for slo in repo.slos.values():
            kinds |= {slo.name: KINDS[0], f"{slo.name}-alerts": KINDS[1]}
        kinds |= {f"{repo.name}-measures": KINDS[2], f"{repo.name}-alerts": KINDS[2]}
    return kinds
