"""The committed rule files, and parts of them for promtool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from otel_meta.model import MetaRepo, Slo
from otel_meta.repos import BUILTIN
from tests.rules.pinned_tools import RULES
from tests.yaml_files import read_yaml

Groups = list[dict[str, Any]]


@cache
def committed_groups() -> dict[str, Groups]:
    """Return the groups of the committed rule files by name, without extension."""
    return {
        path.name.removesuffix(".yml"): read_yaml(path.read_text())["groups"]
        for path in sorted(RULES.glob("*.yml"))
    }


def groups_of(repo: type[MetaRepo], kind: str) -> Groups:
    """Return a meta-repository's committed groups, ``recording`` or ``alerting``."""
    return committed_groups()[f"{repo.name}.{kind}"]


def rules_for_alerts(repo: type[MetaRepo], slo: Slo, *alerts: str) -> Groups:
    """Return these alerts of an SLO and the recordings that they need, without slow unused sums."""
    recorded, fired = rules_of(repo, slo)
    wanted = [rule for rule in fired["rules"] if rule["alert"] in alerts]
    assert {*alerts} == {rule["alert"] for rule in wanted}, f"{slo.name} lacks one of {alerts}"
    needed = _needed(recorded["rules"], " ".join(rule["expr"] for rule in wanted))
    return [recorded | {"rules": needed}, fired | {"rules": wanted}]


def rules_of(repo: type[MetaRepo], *slos: Slo) -> Groups:
    """Return all committed rules of some SLOs: for each a group of recordings and one of alerts.

    The recordings that stand beside the alerts come first, since other recordings read them.
    """
    named = {
        (kind, group["name"].removesuffix("-alerts")): group["rules"]
        for kind in ("recording", "alerting")
        for group in groups_of(repo, kind)
    }
    return [group for slo in slos for group in _groups_of_slo(slo, named)]


def _groups_of_slo(slo: Slo, named: Mapping[tuple[str, str], list[dict[str, Any]]]) -> Groups:
    beside = named["alerting", slo.name]
    records = [rule for rule in beside if "record" in rule] + named["recording", slo.name]
    alerts = [rule for rule in beside if "alert" in rule]
    return [
        {"name": slo.name, "interval": "1m", "rules": records},
        {"name": f"{slo.name}-alerts", "interval": "1m", "rules": alerts},
    ]


def alert_rule(repo: type[MetaRepo], name: str) -> Groups:
    """Return a declared alert of a meta-repository, and the layers of measures that it reads."""
    rules = [r for g in groups_of(repo, "alerting") for r in g["rules"] if r.get("alert") == name]
    return [
        measures_for(repo, " ".join(rule["expr"] for rule in rules)),
        {"name": f"{repo.name}-alerts", "interval": "1m", "rules": rules},
    ]


def measures_for(repo: type[MetaRepo], read: str) -> dict[str, Any]:
    """Return the group of measures with the recordings that an expression reads."""
    name = f"{repo.name}-measures"
    recorded = next(g for g in groups_of(repo, "recording") if g["name"] == name)["rules"]
    return {"name": name, "interval": "1m", "rules": _needed(recorded, read)}


def _needed(recorded: list[dict[str, Any]], read: str) -> list[dict[str, Any]]:
    """Return the recordings that an expression reads, and those that these read."""
    needed: list[dict[str, Any]] = []
    for rule in reversed(recorded):
        if re.search(rf"(?<![\w:]){re.escape(rule['record'])}(?![\w:])", read):
            needed.insert(0, rule)
            read += " " + rule["expr"]
    return needed


def slos() -> Iterator[tuple[type[MetaRepo], Slo]]:
    """Yield every SLO of the catalogue with its meta-repository."""
    yield from ((repo, slo) for repo in BUILTIN for slo in repo.slos.values())


def slo_named(name: str) -> tuple[type[MetaRepo], Slo]:
    """Return an SLO of the catalogue with its meta-repository."""
    return next((repo, slo) for repo, slo in slos() if slo.name == name)
