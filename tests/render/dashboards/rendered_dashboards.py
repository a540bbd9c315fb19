"""Panels, queries and variables of the rendered dashboards, and the labels of all series."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from otel_meta.model.labels import IDENTITY_LABELS
from otel_meta.model.self_metrics import FAULTS
from otel_meta.render.artifacts import rule_files
from otel_meta.render.dashboards import dashboards
from otel_meta.render.options import Options
from otel_meta.render.rules.rule import AlertRule, Record
from otel_meta.repos import BUILTIN
from otel_meta.status.slo_links import variable_of
from tests.render.dashboards.promql_labels import result_labels, selectors

ROOT = Path(__file__).resolve().parents[3]
ALL = ".*"
"""The value of a variable with the choice "All"."""
OPTIONS = Options()
VARIABLES = {"__rate_interval": "1m", "__range": "1h"}
CHOICES = {variable_of(label) for label in OPTIONS.identity.slo}
"""The variables with the values of labels."""
TYPES_WITHOUT_UNIT = {"table", "state-timeline"}
"""Types of panels whose values have no common unit."""


class Target(NamedTuple):
    """A query of a panel, with variables expanded."""

    where: str
    """Names of the file, the panel and the query."""
    expr: str
    legend: str


@cache
def pages() -> Mapping[str, Any]:
    """Return all dashboards by file name."""
    return {name: json.loads(text) for name, text in dashboards(BUILTIN, OPTIONS)}


def panels(page: Any) -> Iterator[Any]:
    """Return all panels of a dashboard, without headings but with panels of collapsed rows."""
    for panel in page["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def rows(page: Any) -> Iterator[Any]:
    """Return all headings of a dashboard."""
    return (panel for panel in page["panels"] if panel["type"] == "row")


def targets() -> Iterator[Target]:
    """Return every query of every panel."""
    for name, page in pages().items():
        for panel in panels(page):
            for target in panel["targets"]:
                where = f"{name}: {panel['title']} {target['refId']}"
                yield Target(where, expand(target["expr"]), target["legendFormat"])


def annotation_queries() -> Iterator[str]:
    """Return the query of every annotation."""
    for page in pages().values():
        yield from (expand(item["expr"]) for item in page["annotations"]["list"] if "expr" in item)


def choices() -> Iterator[tuple[str, str]]:
    """Return the series and the label of every variable that lists label values."""
    for page in pages().values():
        for variable in page["templating"]["list"]:
            if variable["type"] == "query":
                form = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
                assert form, variable
                yield expand(form[1]), form[2]


def expand(expr: str) -> str:
    """Expand the variables of a query as Grafana does, with the choice "All" for each."""
    return _VARIABLE.sub(lambda found: (VARIABLES | dict.fromkeys(CHOICES, ALL))[found[1]], expr)


_VARIABLE = re.compile(r"\$(\w+)")


@cache
def known_series() -> Mapping[str, frozenset[str]]:
    """Return the labels of every series that instruments or rules produce."""
    identity = frozenset({*IDENTITY_LABELS, *OPTIONS.identity.places})
    known = {
        "otel_meta_up": identity,
        "target_info": identity | {"service_version"},
        FAULTS.prometheus_name: identity | {"source", "reason"},
    }
    for _, instrument in BUILTIN.instruments():
        labels = identity | {label.name for label in instrument.label_fields}
        for name in instrument.sample_names:
            known[name] = labels | {"le"} if name.endswith("_bucket") else labels
    return known | dict(_recorded(known))


def _recorded(known: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, frozenset[str]]]:
    """Return the labels of every series that rules produce, ``ALERTS`` included.

    A rule may read a series of a later rule, or its own: all rules are read twice.
    """
    rules = list(_rules())
    recorded = {rule.record for rule in rules if isinstance(rule, Record)}
    foreign = {found.name for rule in rules for found in selectors(rule.expr)} - {"ALERTS", None}
    series = dict.fromkeys(recorded | foreign, frozenset[str]()) | dict(known)
    for rule in (*rules, *rules):
        labels = result_labels(rule.expr, series) | rule.labels.keys()
        name = rule.record if isinstance(rule, Record) else "ALERTS"
        series[name] = series.get(name, _ALERT_LABELS) | labels
    yield from ((name, series[name]) for name in (*recorded, "ALERTS"))


_ALERT_LABELS = frozenset({"alertname", "alertstate"})


def _rules() -> Iterator[Record | AlertRule]:
    files = sorted(rule_files(BUILTIN, OPTIONS), key=lambda file: file.name.startswith("cross"))
    rules = [rule for file in files for group in file.groups for rule in group.rules]
    return iter(sorted(rules, key=lambda rule: isinstance(rule, AlertRule)))
