"""Cases for promtool: raw series in, alerts and recordings out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from tests.rules.committed_rules import Groups
from tests.rules.pinned_tools import tool
from tests.rules.raw_series import label_text
from tests.rules.rule_runs import RUNS, KnownPasses


@dataclass(frozen=True)
class QueryTest:
    """A query at a minute, and its expected samples."""

    minute: float
    expr: str
    samples: Mapping[str, float] = field(default_factory=dict)

    def as_test(self) -> dict[str, Any]:
        """Return the test in promtool's format."""
        samples = [{"labels": labels, "value": value} for labels, value in self.samples.items()]
        seconds = round(self.minute * 60)
        return {"expr": self.expr, "eval_time": f"{seconds}s", "exp_samples": samples}


@dataclass(frozen=True)
class Case:
    """Input series, rules, and the expected results of queries."""

    groups: Groups
    series: Mapping[str, str]
    queries: Sequence[QueryTest]
    step: int = 1
    """Minutes from one evaluation to the next."""
    interval: str = "1m"
    """The time from one sample to the next."""
    note: str = ""
    """A note for readers."""

    def mutated(self, change: Callable[[str], str]) -> Case:
        """Return the case with changed expressions.

        Raises:
            AssertionError: the change changes nothing, and would prove nothing.
        """
        groups = [
            group | {"rules": [rule | {"expr": change(rule["expr"])} for rule in group["rules"]]}
            for group in self.groups
        ]
        assert groups != self.groups, "nothing was changed"
        return replace(self, groups=groups)


def firing_query(alert: str, **labels: str) -> str:
    """Return a query for the firing alerts of a name."""
    return "ALERTS" + label_text({"alertname": alert, "alertstate": "firing"} | labels)


def firing_alert(alert: str, **labels: str) -> dict[str, float]:
    """Return the expected sample of an alert with exactly these labels."""
    return {"ALERTS" + label_text({"alertname": alert, "alertstate": "firing"} | labels): 1.0}


def run_cases(
    cases: Mapping[str, Case], folder: Path, passes: Path = RUNS / "promtool"
) -> dict[str, str]:
    """Run cases in two processes of promtool; return the error of each case, or an empty text.

    Args:
        cases: the cases by name.
        folder: is created for the files of promtool.
        passes: a folder of passes; a case that passed is not repeated.
    """
    known = KnownPasses(passes, tool("promtool"))
    digests = {name: known.digest(json.dumps(_files(0, "", case))) for name, case in cases.items()}
    new = {name: case for name, case in cases.items() if digests[name] not in known}
    wrong = _run_all(new, folder)
    for name in new:
        if not wrong[name]:
            known.add(digests[name])
    known.forget_unused()
    return dict.fromkeys(cases, "") | wrong


def _run_all(cases: Mapping[str, Case], folder: Path) -> dict[str, str]:
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
        max(ask.minute for ask in case.queries)
        / case.step
        * sum(len(g["rules"]) for g in case.groups)
    )


def _promtool(cases: Mapping[str, Case], folder: Path) -> dict[str, str]:
    folder.mkdir()
    for number, (name, case) in enumerate(cases.items()):
        for file, document in _files(number, name, case).items():
            folder.joinpath(file).write_text(json.dumps(document))
    files = [f"{number}.test.yml" for number in range(len(cases))]
    command = [str(tool("promtool")), "test", "rules", "--junit=junit.xml", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = folder / "junit.xml"
    assert report.exists(), done.stdout + done.stderr
    results = dict(_results(ET.parse(report)))
    return {name: results[f"{number}.test.yml"] for number, name in enumerate(cases)}


def _files(number: int, name: str, case: Case) -> dict[str, Any]:
    """Return the rules and the test of a case by file name."""
    return {
        f"{number}.rules.yml": {"groups": case.groups},
        f"{number}.test.yml": _document(number, name, case),
    }


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
                "promql_expr_test": [ask.as_test() for ask in case.queries],
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
