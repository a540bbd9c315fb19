"""Dashboards taken apart: their panels, their queries, and the series that there are to ask for."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from otel_meta.model.labels import IDENTITY_LABELS
from otel_meta.model.self_metrics import FAULTS
from otel_meta.render.artifacts import rule_files
from otel_meta.render.dashboards import dashboards
from otel_meta.render.links import Links
from otel_meta.render.rules.rule import AlertRule, Record
from otel_meta.repos import BUILTIN
from tests.render.dashboards.labels import labels_kept

ROOT = Path(__file__).resolve().parents[3]
ALL = ".*"
EXPANDED = {
    "$__rate_interval": "1m",
    "$__range": "1h",
    "$namespace": ALL,
    "$service": ALL,
    "$slo": ALL,
}
WORDLESS = {"table", "state-timeline"}
"""Panels whose values bear no single unit."""


class Target(NamedTuple):
    """A query, and where it stands."""

    where: str
    expr: str
    legend: str


@cache
def pages() -> Mapping[str, Any]:
    """Every dashboard of the six, by its file's name."""
    return {name: json.loads(text) for name, text in dashboards(BUILTIN)}


def panels(page: Any) -> Iterator[Any]:
    """Every panel that is not a heading, folded ones too."""
    for panel in page["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def rows(page: Any) -> Iterator[Any]:
    """Every heading."""
    return (panel for panel in page["panels"] if panel["type"] == "row")


def targets() -> Iterator[Target]:
    """Every query of every panel, variables expanded."""
    for name, page in pages().items():
        for panel in panels(page):
            for target in panel["targets"]:
                where = f"{name}: {panel['title']} {target['refId']}"
                yield Target(where, expanded(target["expr"]), target["legendFormat"])


def choices() -> Iterator[tuple[str, str]]:
    """The series and the label behind every variable, expanded."""
    for page in pages().values():
        for variable in page["templating"]["list"]:
            if variable["type"] == "query":
                form = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
                assert form, variable
                yield expanded(form[1]), form[2]


def expanded(expr: str) -> str:
    """A query as Grafana sends it, with everything chosen."""
    for name, value in EXPANDED.items():
        expr = expr.replace(name, value)
    return expr


@cache
def known_series() -> Mapping[str, frozenset[str]]:
    """Every series that there is to ask for, and the labels that it bears."""
    identity = frozenset(IDENTITY_LABELS)
    known = {"otel_meta_up": identity, FAULTS.prometheus_name: identity | {"source", "reason"}}
    for _, instrument in BUILTIN.instruments():
        labels = identity | {label.name for label in instrument.label_fields}
        for name in instrument.sample_names:
            known[name] = labels | {"le"} if name.endswith("_bucket") else labels
    return known | dict(_recorded(known))


def _recorded(known: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, frozenset[str]]]:
    """What the rules make of them, ``ALERTS`` included."""
    found = dict(known)
    alerts = frozenset({"alertname", "alertstate"})
    for rule in _rules():
        labels = labels_kept(rule.expr, found) | rule.labels.keys()
        if isinstance(rule, Record):
            found[rule.record] = found.get(rule.record, frozenset()) | labels
            yield rule.record, found[rule.record]
        else:
            alerts |= labels
    yield "ALERTS", alerts


def _rules() -> Iterator[Record | AlertRule]:
    files = sorted(rule_files(BUILTIN, Links()), key=lambda file: file.name.startswith("cross"))
    rules = [rule for file in files for group in file.groups for rule in group.rules]
    return iter(sorted(rules, key=lambda rule: isinstance(rule, AlertRule)))


@cache
def build_tool() -> ModuleType:
    """tools/build.py, by path: `import build` would find the packaging tool of that name."""
    path = ROOT / "tools" / "build.py"
    spec = importlib.util.spec_from_file_location("otel_meta_dashboard_tools", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module
