"""Runs of Prometheus' rule engine on simulated time (tools/rule_engine)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from alert_quality.programs import program
from alert_quality.scenario import EPOCH, Scenario, Span
from alert_quality.scrape import Series, raw_series

INTERVAL = 60
"""Seconds between evaluations of groups without an interval."""


@dataclass(frozen=True)
class Firing:
    """An alert from its first to its last evaluation; seconds of the scenario."""

    rule_set: str
    alert: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    start: int
    stop: int | None
    """None if it still fires at the end."""

    @property
    def severity(self) -> str:
        """The severity label."""
        return self.labels.get("severity", "")


@dataclass(frozen=True)
class Answer:
    """A value of a query at a second of the scenario; None if it is not a number."""

    query: str
    at: int
    labels: Mapping[str, str]
    value: float | None


@dataclass(frozen=True)
class Outcome:
    """The result of a run."""

    firings: tuple[Firing, ...]
    answers: tuple[Answer, ...]
    samples_read: Mapping[str, int]
    """By rule set, in the watched spans."""
    errors: Mapping[str, int]

    def values(self, query: str, at: int) -> list[Answer]:
        """Return the answers to a query at a time."""
        return [one for one in self.answers if (one.query, one.at) == (query, at)]

    def value(self, query: str, at: int, **labels: str) -> float | None:
        """Return the only value of a query with some labels; None if there is no number."""
        found = [one for one in self.values(query, at) if labels.items() <= one.labels.items()]
        if len(found) > 1:
            raise ValueError(f"{query} has {len(found)} values at {at}")
        return found[0].value if found else None

    def of(self, *alerts: str, **labels: str) -> list[Firing]:
        """Return the firings of some alerts with some labels."""
        return [
            one
            for one in self.firings
            if one.alert in alerts and labels.items() <= one.labels.items()
        ]


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """Rule files under a name; loaded and removed at seconds of the scenario."""

    name: str
    files: Mapping[str, Mapping[str, Any]]
    start: int = 0
    stop: int | None = None


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query and the seconds of the scenario at which it is asked."""

    name: str
    expr: str
    times: tuple[int, ...]


def run(
    scenario: Scenario,
    rule_sets: Sequence[RuleSet],
    queries: Sequence[Query] = (),
    *,
    series: Iterable[Series] = (),
    cache: Path | None = None,
) -> Outcome:
    """Evaluate rule sets over a scenario.

    Args:
        scenario: services and servers.
        rule_sets: what is evaluated.
        queries: what is asked.
        series: raw series besides those of the services.
        cache: a folder of results; a run with the same input is not repeated.

    Raises:
        RuntimeError: the engine refuses the rules.
    """
    with tempfile.TemporaryDirectory(prefix="alert-quality-") as name:
        folder = Path(name)
        digest = _write(folder, scenario, rule_sets, queries, [*raw_series(scenario), *series])
        known = cache / f"{digest}.json" if cache else None
        if known and known.is_file():
            return _outcome(json.loads(known.read_text()))
        found = _engine(folder)
        if known:
            known.parent.mkdir(parents=True, exist_ok=True)
            known.write_text(json.dumps(found))
        return _outcome(found)


def _engine(folder: Path) -> Any:
    done = subprocess.run(  # noqa: S603  # a pinned program
        [program("rule-engine"), folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(done.stdout)


def _write(
    folder: Path,
    scenario: Scenario,
    rule_sets: Sequence[RuleSet],
    queries: Sequence[Query],
    series: Sequence[Series],
) -> str:
    """Write the input of the engine, and return a digest of it."""
    engine = program("rule-engine")
    digest = hashlib.sha256(f"{engine} {engine.stat().st_mtime_ns}".encode())
    with (folder / "samples.bin").open("wb") as samples:
        for one in series:
            packed = one.packed()
            samples.write(packed)
            digest.update(packed)
    sets = [_write_rules(folder, one) for one in rule_sets]
    text = json.dumps(_description(scenario, sets, queries, series), sort_keys=True)
    (folder / "scenario.json").write_text(text)
    digest.update(text.encode())
    for file in (file for one in sets for file in one["files"]):
        digest.update((folder / file).read_bytes())
    return digest.hexdigest()[:24]


def _write_rules(folder: Path, rule_set: RuleSet) -> dict[str, Any]:
    files = [f"{rule_set.name}/{name}.yml" for name in rule_set.files]
    (folder / rule_set.name).mkdir(exist_ok=True)
    for path, document in zip(files, rule_set.files.values(), strict=True):
        (folder / path).write_text(yaml.safe_dump(dict(document), sort_keys=False))
    return {
        "name": rule_set.name,
        "files": files,
        "from": EPOCH + rule_set.start if rule_set.start else 0,
        "to": EPOCH + rule_set.stop if rule_set.stop else 0,
    }


def _description(
    scenario: Scenario,
    sets: Sequence[Mapping[str, Any]],
    queries: Sequence[Query],
    series: Sequence[Series],
) -> dict[str, Any]:
    return {
        "start": EPOCH,
        "end": EPOCH + scenario.seconds,
        "interval": INTERVAL,
        "samples": "samples.bin",
        "series": [
            {"labels": one.labels, "samples": len(one.times), "delay_ms": one.delay}
            for one in series
        ],
        "rule_sets": sets,
        "queries": [
            {"name": one.name, "expr": one.expr, "times": [EPOCH + at for at in one.times]}
            for one in queries
        ],
        "down": _absolute(scenario.down),
        "stalled": _absolute(scenario.stalled),
        "watched": _absolute(scenario.watched),
        "out_of_order_seconds": scenario.out_of_order,
    }


def _absolute(spans: Sequence[Span]) -> list[list[int]]:
    return [[EPOCH + max(0, start), EPOCH + stop] for start, stop in spans]


def _outcome(found: Any) -> Outcome:
    return Outcome(
        firings=tuple(_firing(one) for one in found["firings"]),
        answers=tuple(
            Answer(one["query"], one["time"] - EPOCH, value["labels"], value["number"])
            for one in found["answers"]
            for value in one["values"]
        ),
        samples_read=found["samples_read"],
        errors=found["errors"],
    )


def _firing(found: Mapping[str, Any]) -> Firing:
    return Firing(
        rule_set=found["rule_set"],
        alert=found["alert"],
        labels=found["labels"],
        annotations=found["annotations"] or {},
        start=found["start"] - EPOCH,
        stop=None if found["end"] is None else found["end"] - EPOCH,
    )
