"""A reader of OpenMetrics 2.0, written from the specification; prometheus_client has none.

A composite value becomes the samples that OpenMetrics 1.0 has for it.
https://prometheus.io/docs/specs/om/open_metrics_spec_2_0/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
NUMBER = r"[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf|NaN)"
TIME = r"\d+(?:\.\d+)?"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"')
LABELS = rf"\{{((?:{LABEL.pattern}(?:,(?!\}})|(?=\}})))*)\}}"
METADATA = re.compile(rf"# (HELP|TYPE|UNIT) ({NAME}) (.*)")
LIST = r"\[([^\]\s]*)\]"
COMPOSITE = re.compile(
    rf"\{{g?count:({NUMBER}),g?sum:({NUMBER}),(?:bucket|quantile):{LIST}\}}", re.ASCII
)
EXEMPLAR = re.compile(rf" # {LABELS} ({NUMBER}) ({TIME})", re.ASCII)
SAMPLE = re.compile(
    rf"(?P<name>{NAME})(?:{LABELS})? (?P<value>{NUMBER}|\{{\S*\}})"
    rf"(?: (?P<time>{TIME}))?(?: st@(?P<start>{TIME}))?"
    rf"(?P<exemplars>(?:{EXEMPLAR.pattern})*)",
    re.ASCII,
)
ESCAPES = {r"\\": "\\", r"\n": "\n", r"\"": '"'}
COMPOSITES = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile"}


class Sample(NamedTuple):
    """A value of a series; the start of the series and the values of its exemplars."""

    name: str
    labels: dict[str, str]
    value: float
    start: float | None
    exemplars: tuple[float, ...] = ()


@dataclass
class Family:
    """A metric family of a page."""

    name: str
    type: str = "unknown"
    unit: str = ""
    documentation: str = ""
    samples: list[Sample] = field(default_factory=list[Sample])


def parse_openmetrics2(page: str) -> list[Family]:
    """Parse the families of a page.

    Raises:
        ValueError: the page breaks a rule of the format.
    """
    *lines, end, rest = page.split("\n")
    _require((end, rest) == ("# EOF", ""), "a page ends with # EOF")
    families: list[Family] = []
    names: set[str] = set()
    for line in lines:
        match = METADATA.fullmatch(line) or SAMPLE.fullmatch(line)
        if match is None:
            raise ValueError(f"unreadable: {line!r}")
        name = match["name"] if match.re is SAMPLE else match[2]
        if not families or families[-1].name != name:
            _require(name not in names, f"{name} is interleaved with other families")
            names.add(name)
            families.append(Family(name))
        if match.re is SAMPLE:
            families[-1].samples += _samples(families[-1], match)
        else:
            _add_metadata(families[-1], match[1], match[3])
    return families


def _add_metadata(family: Family, kind: str, text: str) -> None:
    _require(not family.samples, f"{kind} of {family.name} follows samples")
    setattr(family, {"HELP": "documentation", "TYPE": "type", "UNIT": "unit"}[kind], text)
    if family.type in ("info", "stateset"):
        _require(not family.unit, f"{family.name} has a unit")
    if family.type == "info":
        _require(family.name.endswith("_info"), f"{family.name} is no name of an info")


def _samples(family: Family, match: re.Match[str]) -> list[Sample]:
    labels = _labels(match[2] or "")
    start = None if match["start"] is None else float(match["start"])
    exemplars = tuple(float(each[4]) for each in EXEMPLAR.finditer(match["exemplars"]))
    if family.type in COMPOSITES:
        return _composite_samples(family, labels, match["value"], start, exemplars)
    value = float(match["value"])
    if family.type == "counter":
        _require(value >= 0, f"{family.name} has the value {value}")
    if family.type not in ("counter", "unknown"):
        _require(start is None and not exemplars, f"{family.name} has a start or an exemplar")
    return [Sample(family.name, labels, value, start, exemplars)]


def _composite_samples(
    family: Family,
    labels: dict[str, str],
    text: str,
    start: float | None,
    exemplars: tuple[float, ...],
) -> list[Sample]:
    match = COMPOSITE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no value of a {family.type}")
    pairs = [tuple(map(float, part.split(":"))) for part in match[3].split(",") if part]
    thresholds = [threshold for threshold, _ in pairs]
    _require(all(a < b for a, b in pairwise(thresholds)), f"{text!r} is not sorted")
    label, suffix = COMPOSITES[family.type], "" if family.type == "summary" else "_bucket"
    prefix = "_g" if family.type == "gaugehistogram" else "_"
    if suffix:
        _require(pairs[-1] == (float("inf"), float(match[1])), f"{text!r} has no last bucket")
        _require(all(a[1] <= b[1] for a, b in pairwise(pairs)), f"{text!r} is not cumulative")
    lower = [float("-inf"), *thresholds]
    parts = [
        Sample(
            family.name + suffix,
            {**labels, label: _threshold_text(threshold)},
            value,
            start,
            tuple(each for each in exemplars if lower[index] < each <= threshold),
        )
        for index, (threshold, value) in enumerate(pairs)
    ]
    return [
        *parts,
        Sample(f"{family.name}{prefix}count", labels, float(match[1]), start),
        Sample(f"{family.name}{prefix}sum", labels, float(match[2]), start),
    ]


def _threshold_text(threshold: float) -> str:
    return {"inf": "+Inf"}.get(repr(threshold), repr(threshold))


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for name, value in LABEL.findall(text):
        _require(name not in labels, f"the label {name} is there twice")
        labels[name] = re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], value)
    return labels


def _require(condition: bool, otherwise: str) -> None:  # as of an assertion
    if not condition:
        raise ValueError(otherwise)
