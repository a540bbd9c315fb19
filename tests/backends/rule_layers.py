"""Recording rules in layers, since a replay of a rule file does not read its own results.

The first layer reads raw series only, the second layer reads series of the first, and so on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from tests.rules.committed_rules import Groups

Rule = Mapping[str, Any]


def write_layers(groups: Groups, folder: Path) -> list[Path]:
    """Write one rule file for each layer, and return the files in order."""
    depths = _depths([rule for group in groups for rule in group["rules"]])
    rules = [
        (depths[_name(rule)], group["name"], rule) for group in groups for rule in group["rules"]
    ]
    rules.sort(key=lambda entry: entry[:2])
    paths = []
    for depth, layer in groupby(rules, key=lambda entry: entry[0]):
        by_group = groupby(layer, key=lambda entry: entry[1])
        file = [
            {"name": name, "interval": "1m", "rules": [rule for *_, rule in entries]}
            for name, entries in by_group
        ]
        paths.append(folder / f"layer-{depth}.yml")
        paths[-1].write_text(yaml.safe_dump({"groups": file}))
    return paths


def _name(rule: Rule) -> str:
    name: str = rule.get("record") or rule["alert"]
    return name


def _depths(rules: Sequence[Rule]) -> dict[str, int]:
    """Return the number of rules between each rule and raw series, by the name of the rule."""
    reads: dict[str, set[str]] = {}
    for rule in rules:
        words = set(re.findall(r"[a-zA-Z_:][\w:]*", rule["expr"]))
        reads.setdefault(_name(rule), set()).update(words)
    depths: dict[str, int] = {}
    while len(depths) < len(reads):
        for name, words in reads.items():
            needed = (words & reads.keys()) - {name}
            if name not in depths and needed <= depths.keys():
                depths[name] = 1 + max((depths[other] for other in needed), default=-1)
    return depths
