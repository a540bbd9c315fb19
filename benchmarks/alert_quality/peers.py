"""Rules of others for the same SLO: Sloth and Pyrra by their own code, and plain thresholds."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from alert_quality.programs import program
from alert_quality.scenario import Scenario
from alert_quality.scrape import METRIC
from alert_quality.services import DAY, Labels, Service

Document = dict[str, Any]
COUNT = f"{METRIC}_count"


def sloth(scenario: Scenario) -> Iterator[tuple[str, Document]]:
    """Yield the rules that Sloth generates for each service."""
    for name, service in _each(scenario):
        bad, total = _sums(scenario, service, "{{.window}}")
        spec = {
            "version": "prometheus/v1",
            "service": name,
            "labels": service.identity,
            "slos": [
                {
                    "name": "slo",
                    "objective": scenario.objective.target * 100,
                    "description": "The same SLO.",
                    "sli": {"events": {"error_query": bad, "total_query": total}},
                    "alerting": {
                        "name": "SlothBurn",
                        "page_alert": {"labels": {"severity": "page"}},
                        "ticket_alert": {"labels": {"severity": "ticket"}},
                    },
                }
            ],
        }
        yield name, _generated([program("sloth"), "generate", "-i", "/dev/stdin"], spec)


def pyrra(scenario: Scenario) -> Iterator[tuple[str, Document]]:
    """Yield the rules that Pyrra generates for each service."""
    for name, service in _each(scenario):
        spec = {
            "apiVersion": "pyrra.dev/v1alpha1",
            "kind": "ServiceLevelObjective",
            "metadata": {
                "name": name,
                "namespace": "monitoring",
                "labels": {f"pyrra.dev/{key}": value for key, value in service.identity.items()},
            },
            "spec": {
                "target": f"{scenario.objective.target * 100:g}",
                "window": f"{scenario.objective.period // DAY}d",
                "indicator": _indicator(scenario, service),
            },
        }
        yield name, _generated([program("pyrra-rules")], spec)


def seed(scenario: Scenario) -> Iterator[tuple[str, Document]]:
    """Yield the thresholds on plain ratios: of the period, of an hour and of five minutes."""
    budget = scenario.objective.budget
    period = f"{scenario.objective.period // DAY}d"
    places = sorted({place for service in scenario.services for place in service.places})
    by = ", ".join(["service_namespace", "service_name", *places])

    def ratio(window: str) -> str:
        bad, total = (f"sum by ({by}) ({part})" for part in _parts(scenario, None, window))
        return f"{bad}\n/\n{total}"

    def alert(name: str, expr: str) -> Document:
        return {"alert": name, "expr": expr, "for": "5m", "labels": {"severity": "page"}}

    rules = [
        {"record": "seed:error_ratio:period", "expr": ratio(period)},
        alert("SloViolation", f"seed:error_ratio:period > {budget!r}"),
        alert("ErrorBudgetBurningFast", f"({ratio('1h')}) > {10 * budget!r}"),
        alert("HighErrorRate", f"({ratio('5m')}) > {10 * budget!r}"),
    ]
    yield "seed", {"groups": [{"name": "seed", "interval": "1m", "rules": rules}]}


def _each(scenario: Scenario) -> Iterator[tuple[str, Service]]:
    for service in scenario.services:
        yield "-".join([service.name, *service.places.values()]), service


def _generated(command: list[Any], spec: Document) -> Document:
    done = subprocess.run(  # noqa: S603  # a pinned program
        command, input=yaml.safe_dump(spec), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0].name}: {done.stderr}")
    made: Document = yaml.safe_load(done.stdout)
    return made


def selector(name: str, labels: Labels, *more: str) -> str:
    """Return a selector of a metric by labels and further matchers."""
    matchers = [f'{key}="{value}"' for key, value in labels.items()]
    return f"{name}{{{','.join([*matchers, *more])}}}"


def _who(scenario: Scenario, service: Service | None) -> Mapping[str, str]:
    who = {"service_namespace": scenario.objective.repository}
    return who | (service.identity if service else {})


def _parts(scenario: Scenario, service: Service | None, window: str) -> tuple[str, str]:
    """Return the rates of bad and of all events, which are not summed up yet."""
    who, bound = _who(scenario, service), scenario.objective.bound
    total = f"rate({selector(COUNT, who)}[{window}])"
    if bound is None:
        return f"rate({selector(COUNT, who, FAILED)}[{window}])", total
    good = selector(f"{METRIC}_bucket", who, f'le="{bound!r}"')
    return f"{total} - ignoring (le) rate({good}[{window}])", total


FAILED = 'error_type!=""'


def _sums(scenario: Scenario, service: Service, window: str) -> tuple[str, str]:
    bad, total = _parts(scenario, service, window)
    return f"sum({bad})", f"sum({total})"


def _indicator(scenario: Scenario, service: Service) -> Document:
    who, bound = _who(scenario, service), scenario.objective.bound
    total = {"metric": selector(COUNT, who)}
    if bound is None:
        return {"ratio": {"errors": {"metric": selector(COUNT, who, FAILED)}, "total": total}}
    good = selector(f"{METRIC}_bucket", who, f'le="{bound!r}"')
    return {"latency": {"success": {"metric": good}, "total": total}}


def pages_only(document: Document) -> Document:
    """Return rules without tickets, and without what only tickets read, which would take hours."""
    groups: Iterable[Document] = document["groups"]
    return {"groups": [{**group, "rules": list(_paging(group["rules"]))} for group in groups]}


_TICKET_ONLY = ("ratio_rate2h", "ratio_rate1d", "ratio_rate3d", "burnrate2h9m", "burnrate1d1h43m")
_TICKETS = ("ticket", "warning")


def _paging(rules: Iterable[Document]) -> Iterator[Document]:
    for rule in rules:
        is_ticket = rule.get("labels", {}).get("severity") in _TICKETS
        if not is_ticket and not rule.get("record", "").endswith(
            (*_TICKET_ONLY, "burnrate4d6h51m")
        ):
            yield rule
