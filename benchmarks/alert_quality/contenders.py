"""The tools that are compared: the rules of each, what it calls a page, and its budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from alert_quality import peers
from alert_quality.scenario import Scenario

ROOT: Final = Path(__file__).resolve().parents[2]
Files = Iterator[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One tool."""

    name: str
    title: str
    files: Callable[[Scenario], Files]
    """Names and contents of the rule files for the services of a scenario."""
    budget: Callable[[Scenario], str]
    """PromQL of the share of the budget that is left, with the labels of the service."""
    pages: frozenset[str] = frozenset({"page", "critical"})
    """Severities that wake somebody."""


def committed(scenario: Scenario, folder: Path = ROOT / "rules") -> Files:
    """Yield the committed rules of the scenario's SLO, and those that are about all SLOs.

    The texts of alerts are left out: they do not change who is paged, and take queries.
    """
    for path in sorted(folder.glob("*.yml")):
        is_repository = path.name.startswith(scenario.objective.repository)
        if not is_repository and path.name.split(".")[0] not in ("cross", "telemetry"):
            continue
        document = yaml.safe_load(path.read_text())
        if is_repository:
            document["groups"] = [
                group
                for group in document["groups"]
                if group["name"].removesuffix("-alerts") == scenario.objective.slo
            ]
        for rule in (rule for group in document["groups"] for rule in group["rules"]):
            rule.pop("annotations", None)
        yield path.stem, document


def _own_budget(scenario: Scenario) -> str:
    return f'slo:error_budget_remaining:ratio{{slo="{scenario.objective.slo}"}}'


def _places(scenario: Scenario) -> str:
    names = {name for service in scenario.services for name in service.places}
    return ", ".join(["service_name", *sorted(names)])


def _sloth_budget(scenario: Scenario) -> str:
    return f"max by ({_places(scenario)}) (slo:period_error_budget_remaining:ratio)"


def _pyrra_budget(scenario: Scenario) -> str:
    budget = scenario.objective.budget
    return f"1 - (1 - max by ({_places(scenario)}) (pyrra_availability)) / {budget!r}"


def _seed_budget(scenario: Scenario) -> str:
    return f"1 - seed:error_ratio:period / {scenario.objective.budget!r}"


OTEL_META: Final = Contender(
    name="otel_meta", title="otel_meta", files=committed, budget=_own_budget
)
SLOTH: Final = Contender(
    name="sloth", title="Sloth 0.16.0", files=peers.sloth, budget=_sloth_budget
)
PYRRA: Final = Contender(
    name="pyrra", title="Pyrra 0.10.1", files=peers.pyrra, budget=_pyrra_budget
)
SEED: Final = Contender(name="seed", title="thresholds", files=peers.seed, budget=_seed_budget)
ALL: Final = (OTEL_META, SLOTH, PYRRA, SEED)
