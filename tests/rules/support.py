"""Cases for promtool, made from the catalogue: raw series in, alerts and recordings out."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from otel_meta.model import MetaRepo, Ratio, Slo, Threshold, TimeSlice
from otel_meta.model.selector import Selector
from otel_meta.repos import BUILTIN

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "rules"
SERVICE = "svc"

Labels = Mapping[str, str]
Groups = list[dict[str, Any]]


@cache
def build_tool() -> ModuleType:
    """tools/build.py, by path: `import build` would find the packaging tool of that name."""
    spec = importlib.util.spec_from_file_location("otel_meta_rule_tools", ROOT / "tools/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def tool(name: str) -> Path:
    """A pinned program; its absence is an error that says `make tools`."""
    path: Path = build_tool().find(name)
    return path


# ------------------------------------------------------------------------------ committed rules


@cache
def committed() -> dict[str, Groups]:
    """The committed rule files by name, without their ending."""
    return {
        path.name.removesuffix(".yml"): yaml.safe_load(path.read_text())["groups"]
        for path in sorted(RULES.glob("*.yml"))
    }


def groups_of(repo: type[MetaRepo], kind: str) -> Groups:
    """A meta-repository's committed groups, ``recording`` or ``alerting``."""
    return committed()[f"{repo.name}.{kind}"]


def closure(repo: type[MetaRepo], slo: Slo, *alerts: str) -> Groups:
    """What these alerts of an SLO read, and they themselves; so that 30-day sums run where read."""
    wanted = [
        rule
        for group in groups_of(repo, "alerting")
        for rule in group["rules"]
        if rule["alert"] in alerts and rule["labels"].get("slo") == slo.name
    ]
    assert len(alerts) == len(wanted), f"{slo.name} lacks one of {alerts}"
    recorded = next(g for g in groups_of(repo, "recording") if g["name"] == slo.name)["rules"]
    needed: list[dict[str, Any]] = []
    read = " ".join(rule["expr"] for rule in wanted)
    for rule in reversed(recorded):
        if re.search(rf"(?<![\w:]){re.escape(rule['record'])}(?![\w:])", read):
            needed.insert(0, rule)
            read += " " + rule["expr"]
    return [
        {"name": slo.name, "interval": "1m", "rules": needed},
        {"name": f"{slo.name}-alerts", "interval": "1m", "rules": wanted},
    ]


def whole(repo: type[MetaRepo], *slos: Slo) -> Groups:
    """All committed rules of some SLOs."""
    names = {slo.name for slo in slos} | {f"{slo.name}-alerts" for slo in slos}
    both = groups_of(repo, "recording") + groups_of(repo, "alerting")
    return [group for group in both if group["name"] in names]


def alert_rule(repo: type[MetaRepo], name: str) -> Groups:
    """One declared alert of a meta-repository; it reads raw series alone."""
    rules = [r for g in groups_of(repo, "alerting") for r in g["rules"] if r["alert"] == name]
    return [{"name": f"{repo.name}-alerts", "interval": "1m", "rules": rules}]


def slos() -> Iterator[tuple[type[MetaRepo], Slo]]:
    """Every SLO of the catalogue with its meta-repository."""
    yield from ((repo, slo) for repo in BUILTIN for slo in repo.slos.values())


def slo_named(name: str) -> tuple[type[MetaRepo], Slo]:
    """One SLO of the catalogue."""
    return next((repo, slo) for repo, slo in slos() if slo.name == name)


# ---------------------------------------------------------------------------------------- series

Flow = list[tuple[float, float]]
"""Minute by minute: bad events and all events."""

SLICES = {"each": 20, "worst": 1}
"""How many series of a gauge there are, so that a minute's share of bad slices can be small."""

_BASE = 1_000_000.0
"""Where counters start: a counter near zero is extrapolated otherwise."""

_STEPS = 2**14


def phase(minutes: int, share: float, total: float = 1000.0) -> Flow:
    """Some minutes with a constant share of bad events.

    In steps of a power of two, which floats add exactly: else a counter would seem to go back.
    """
    return [(round(share * total * _STEPS) / _STEPS, total)] * minutes


def label_text(labels: Labels) -> str:
    """A set of labels as series are written."""
    return "{" + ",".join(f"{k}={json.dumps(v)}" for k, v in sorted(labels.items())) + "}"


def counter(increments: Iterable[float]) -> str:
    """A counter's samples, one a minute."""
    value, runs = _BASE, []
    for step, same in groupby(increments):
        length = len(list(same))
        # The first sample of a run is the last of the run before, which is therefore left out.
        runs.append(f"{value + step!r}+{step!r}x{length - 1}")
        value += step * length
    return f"{_BASE!r} " + " ".join(runs)


def gauge(values: Iterable[float]) -> str:
    """A gauge's samples, one a minute."""
    return " ".join(f"{value!r}x{len(list(same)) - 1}" for value, same in groupby(values))


def identity(repo: type[MetaRepo], service: str = SERVICE) -> dict[str, str]:
    """The labels that every series of a service has."""
    return {"service_namespace": repo.name, "service_name": service}


def filled(match: Selector, **more: str) -> dict[str, str]:
    """Labels of a series that a match chooses: one of each condition's values, else any value."""
    labels = {
        f.name: (f.values[0] if f.values else f"some-{f.name}")
        for f in match.instrument.label_fields
        if f.default is None
    }
    for condition in match.matchers:
        wanted = condition.values
        labels[condition.label] = wanted[0] if isinstance(wanted, tuple) else "SomeError"
    return labels | more


def unfilled(match: Selector) -> dict[str, str]:
    """Labels of a series that a match passes over."""
    labels = filled(Selector(match.instrument))
    for condition in match.matchers:
        fields = {f.name: f for f in match.instrument.label_fields}
        values = fields[condition.label].values or ()
        wanted = condition.values
        if not isinstance(wanted, tuple):
            labels.pop(condition.label, None)
        else:
            labels[condition.label] = next(v for v in values if v not in wanted)
    return labels


def inputs(repo: type[MetaRepo], slo: Slo, flow: Flow, service: str = SERVICE) -> dict[str, str]:
    """The raw series that this flow of events leaves behind, as the catalogue names them."""
    who = identity(repo, service)
    match slo.sli:
        case TimeSlice() as sli:
            return dict(_slices(sli, who, flow))
        case Threshold() as sli:
            name, labels = sli.values.instrument.prometheus_name, filled(sli.values) | who
            rest = {"le": f"{sli.bound:g}"}
            return {
                f"{name}_count{label_text(labels)}": counter(t for _, t in flow),
                f"{name}_bucket{label_text(labels | rest)}": counter(t - b for b, t in flow),
                f"{name}_bucket{label_text(labels | {'le': '+Inf'})}": counter(t for _, t in flow),
            }
        case Ratio() as sli:
            return dict(_counted(sli, who, flow))


def _counted(sli: Ratio, who: Labels, flow: Flow) -> Iterator[tuple[str, str]]:
    part = sli.bad or sli.good or sli.total
    share = [b for b, _ in flow] if sli.bad else [t - b for b, t in flow]
    yield _sample(part) + label_text(filled(part) | who), counter(share)
    if part.instrument is sli.total.instrument:
        rest = (t - p for p, (_, t) in zip(share, flow, strict=True))
        yield _sample(part) + label_text(unfilled(part) | who), counter(rest)
    else:
        yield _sample(sli.total) + label_text(filled(sli.total) | who), counter(t for _, t in flow)


def _sample(match: Selector) -> str:
    instrument = match.instrument
    return instrument.prometheus_name + ("_count" if instrument.kind == "histogram" else "")


def _slices(sli: TimeSlice, who: Labels, flow: Flow) -> Iterator[tuple[str, str]]:
    open_label = next(f.name for f in sli.value.instrument.label_fields if f.values is None)
    bad = _off(sli)
    good = sli.at_least if sli.at_least is not None else (sli.at_most or 0.0)
    counts = bad_series(sli, flow)
    for number in range(SLICES[sli.series]):
        labels = filled(sli.value, **{open_label: f"some-{number}"}) | who
        values = (bad if number < count else good for count in [counts[0], *counts])
        yield sli.value.instrument.prometheus_name + label_text(labels), gauge(values)


def _off(sli: TimeSlice) -> float:
    return sli.at_least * 0.99 if sli.at_least is not None else (sli.at_most or 0.0) + 1


def bad_series(sli: TimeSlice, flow: Flow) -> list[int]:
    """How many series of a gauge are bad in each minute, so that their share adds up."""
    owed, counts = 0.0, []
    for bad, total in flow:
        owed += bad / total * SLICES[sli.series]
        counts.append(int(owed + 1e-9))
        owed -= counts[-1]
    return counts


# ---------------------------------------------------------------------------------------- oracle


@dataclass(frozen=True)
class Oracle:
    """The rules' arithmetic in Python: what is recorded of a flow, and when each window burns.

    Written from the design (a five-minute layer, quotients of sums) and Prometheus' documented
    ``increase``; it shares nothing with the renderer.
    """

    slo: Slo
    step: int
    """Minutes from one evaluation to the next."""
    bad: list[float]
    total: list[float]
    """Increase over five minutes at each evaluation, the first at minute 0."""

    @classmethod
    def of(cls, slo: Slo, flow: Flow, step: int) -> Oracle:
        """What the five-minute layer holds."""
        times = range(0, len(flow) + 1, step)
        if isinstance(slo.sli, TimeSlice):
            series = SLICES[slo.sli.series]
            counts = bad_series(slo.sli, flow)
            off = [counts[0], *counts]
            return cls(
                slo,
                step,
                [_seconds(off, t) for t in times],
                [_seconds([series] * len(off), t) for t in times],
            )
        bads, totals = ([0.0, *part] for part in zip(*flow, strict=True))
        return cls(slo, step, _increases(bads, times), _increases(totals, times))

    def sums(self, seconds: int) -> Callable[[int], tuple[float, float]]:
        """Bad and total over a span, up to an evaluation, as the rules sum them."""
        every = 1 if seconds <= 6 * 3600 else max(1, 5 // self.step)
        bads, totals = (_prefix(part[::every]) for part in (self.bad, self.total))
        many = seconds // 60 // self.step // every

        def at(n: int) -> tuple[float, float]:
            last = n // every + 1
            first = max(0, last - many)
            return bads[last] - bads[first], totals[last] - totals[first]

        return at

    def arms(self, severity: str) -> list[list[bool]]:
        """For each window pair of a severity, whether its condition holds at each evaluation."""
        return [
            [self._burns(window, n) for n in range(len(self.bad))]
            for window in self.slo.burn_windows
            if window.severity == severity
        ]

    def burning(self, severity: str) -> list[bool]:
        """Whether the alert of a severity fires at each evaluation."""
        return [any(arms) for arms in zip(*self.arms(severity), strict=True)]

    def _burns(self, window: Any, n: int) -> bool:
        limit = float(window.burn_rate(self.slo.period) * self.slo.objective.budget)
        long, short = self._spans(window.long.seconds), self._spans(window.short.seconds)
        (bad, total), (short_bad, short_total) = long(n), short(n)
        dense = window.long.seconds <= 6 * 3600
        events = bad / 5 if dense else bad
        return (
            total > 0
            and short_total > 0
            and bad / total > limit
            and short_bad / short_total > limit
            and events >= self.slo.min_bad_events
        )

    def _spans(self, seconds: int) -> Callable[[int], tuple[float, float]]:
        known: dict[int, Any] = self.__dict__.setdefault("_known", {})
        if seconds not in known:
            known[seconds] = self.sums(seconds)
        return known[seconds]  # type: ignore[no-any-return]


def _prefix(values: Sequence[float]) -> list[float]:
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    return sums


def _increases(per_minute: Sequence[float], times: Iterable[int]) -> list[float]:
    """Prometheus' increase over five minutes of samples a minute apart.

    Five samples span four minutes and are extrapolated to five; near the series' start there are
    fewer, and the extrapolation ends half a step before the first.
    """
    upto = _prefix(per_minute)
    found = []
    for t in times:
        samples = min(5, t + 1)
        intervals = samples - 1
        seen = upto[t + 1] - upto[t + 1 - intervals]
        missing = 5 - intervals
        reach = intervals + (missing if missing < 1.1 else 0.5)
        found.append(seen * reach / intervals if intervals else 0.0)
    return found


def _seconds(off: Sequence[int], t: int) -> float:
    """Slices of 30 seconds in the five minutes to t, each with the last value of its time."""
    instants = (t * 2 - half for half in range(10))
    return 30.0 * sum(off[i // 2] for i in instants if i >= 0)


def first(holds: Sequence[bool], start: int = 0) -> int:
    """The first evaluation at which something holds."""
    return next(n for n in range(start, len(holds)) if holds[n])


# ----------------------------------------------------------------------------------------- cases


@dataclass(frozen=True)
class Ask:
    """A question at a minute, and the series that answer it."""

    minute: float
    expr: str
    answers: Mapping[str, float] = field(default_factory=dict)

    def as_test(self) -> dict[str, Any]:
        """In promtool's words."""
        samples = [{"labels": labels, "value": value} for labels, value in self.answers.items()]
        seconds = round(self.minute * 60)
        return {"expr": self.expr, "eval_time": f"{seconds}s", "exp_samples": samples}


@dataclass(frozen=True)
class Case:
    """Series that come in, rules, and what should follow."""

    groups: Groups
    series: Mapping[str, str]
    asks: Sequence[Ask]
    step: int = 1
    """Minutes from one evaluation to the next."""
    interval: str = "1m"
    """From one sample to the next."""
    note: str = ""
    """What was worked out beforehand, for people."""

    def mutated(self, change: Callable[[str], str]) -> Case:
        """The same with other expressions.

        Raises:
            AssertionError: the change changes nothing, and would prove nothing.
        """
        groups = [
            group | {"rules": [rule | {"expr": change(rule["expr"])} for rule in group["rules"]]}
            for group in self.groups
        ]
        assert groups != self.groups, "nothing was changed"
        return replace(self, groups=groups)


def firing(alert: str, **labels: str) -> str:
    """Asks which alerts of a name fire."""
    return "ALERTS" + label_text({"alertname": alert, "alertstate": "firing"} | labels)


def fired(alert: str, **labels: str) -> dict[str, float]:
    """One alert with exactly these labels."""
    return {"ALERTS" + label_text({"alertname": alert, "alertstate": "firing"} | labels): 1.0}


def run_cases(cases: Mapping[str, Case], folder: Path) -> dict[str, str]:
    """Run cases in two processes of promtool; for each what went wrong, or nothing."""
    names = sorted(cases, key=lambda name: -_cost(cases[name]))
    shares = [names[n::2] for n in range(2)]
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        work = [
            pool.submit(_promtool, {name: cases[name] for name in share}, folder / f"half-{n}")
            for n, share in enumerate(shares)
            if share
        ]
        return {name: wrong for half in work for name, wrong in half.result().items()}


def _cost(case: Case) -> float:
    return (
        max(ask.minute for ask in case.asks) / case.step * sum(len(g["rules"]) for g in case.groups)
    )


def _promtool(cases: Mapping[str, Case], folder: Path) -> dict[str, str]:
    folder.mkdir()
    for number, (name, case) in enumerate(cases.items()):
        folder.joinpath(f"{number}.rules.yml").write_text(json.dumps({"groups": case.groups}))
        folder.joinpath(f"{number}.test.yml").write_text(json.dumps(_document(number, name, case)))
    files = [f"{number}.test.yml" for number in range(len(cases))]
    command = [tool("promtool"), "test", "rules", "--junit=junit.xml", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = folder / "junit.xml"
    assert report.exists(), done.stdout + done.stderr
    results = dict(_results(ET.parse(report)))
    return {name: results[f"{number}.test.yml"] for number, name in enumerate(cases)}


def _document(number: int, name: str, case: Case) -> dict[str, Any]:
    return {
        "rule_files": [f"{number}.rules.yml"],
        "evaluation_interval": f"{case.step}m",
        "group_eval_order": [group["name"] for group in case.groups],
        "tests": [
            {
                "name": name,
                "interval": case.interval,
                "input_series": [{"series": s, "values": v} for s, v in case.series.items()],
                "promql_expr_test": [ask.as_test() for ask in case.asks],
            }
        ],
    }


def _results(report: ET.ElementTree[Any]) -> Iterator[tuple[str, str]]:
    for suite in report.iter("testsuite"):
        wrong = [
            (part.get("message") or "") + (part.text or "")
            for part in suite.iter()
            if part.tag in ("failure", "error")
        ]
        yield suite.attrib["name"], "\n".join(wrong)
