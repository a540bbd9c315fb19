from __future__ import annotations

import re

from otel_meta.render.rules.recording_rules import recording_groups
from otel_meta.render.rules.rule import Record
from otel_meta.repos import BUILTIN
from tests.render.acme import Acme

RATIO = """\
sum_over_time(slo:bad:increase5m{slo="acme-answered"}[SPAN])
/
(sum_over_time(slo:total:increase5m{slo="acme-answered"}[SPAN]) > 0)"""

OWN = {"slo": "acme-answered"}


def records(group: int) -> dict[str, Record]:
    """The rules of one group by what they record."""
    rules = list(recording_groups(Acme))[group].rules
    return {rule.record: rule for rule in rules if isinstance(rule, Record)}


def test_groups() -> None:
    """Each SLO has a group of its own, and what is declared besides has one."""
    assert ["acme-answered", "acme-quick", "acme-measures"] == [
        group.name for group in recording_groups(Acme)
    ]


def test_ratios() -> None:
    """Every ratio is a quotient of sums, of each span that a burn window looks back."""
    found = records(0)

    for name, span in {"5m": "5m", "6h": "6h", "1d": "1d:5m", "period": "30d:5m"}.items():
        ratio = RATIO.replace("SPAN", span)
        if ":" in span:  # read once in five minutes, so of what was averaged over them
            ratio = ratio.replace(":increase5m", ":avg5m_increase5m")
        wanted = Record(f"slo:error_ratio:{name}", ratio, OWN)

        assert wanted == found[wanted.record]


def test_budget() -> None:
    """Budget, compliance and burn rate follow from the ratios, with exact numbers."""
    found = records(0)
    mine = '{slo="acme-answered"}'

    assert (
        f"1 - slo:error_ratio:period{mine} / 0.001"
        == found["slo:error_budget_remaining:ratio"].expr
    )
    kept = (
        f"(slo:error_ratio:period{mine} <= bool 0.001)\nand\n"
        f"max_over_time(slo:total:increase5m{mine}[6h])"
    )

    assert kept == found["slo:compliant:bool"].expr
    assert f"slo:error_ratio:1h{mine} / 0.001" == found["slo:burn_rate:1h"].expr
    assert "vector(0.999)" == found["slo:objective:ratio"].expr


def test_info() -> None:
    """What may change about an SLO stands on one series alone."""
    info = {
        "objective": "99.9%",
        "owner": "anvils",
        "period": "30d",
        "service_namespace": "acme",
        "slo": "acme-answered",
        "tier": "3",
    }
    others = [rule.labels for name, rule in records(0).items() if "info" not in name]

    assert info == records(0)["slo_info"].labels
    assert {"slo", "service_namespace"} == set().union(*others)


def test_order() -> None:
    """A rule reads only what rules before it in its group have recorded."""
    names = {*records(0)}
    recorded: set[str] = set()
    for rule in next(recording_groups(Acme)).rules:
        assert names & {*re.findall(r"[a-zA-Z_:][\w:]*", rule.expr)} <= recorded
        recorded.add(rule.record if isinstance(rule, Record) else rule.alert)

    assert names == recorded


def test_every_declared() -> None:
    """Each recording that a meta-repository declares is recorded under its name."""
    for repo in BUILTIN:
        made = {r.record for g in recording_groups(repo) for r in g.rules if isinstance(r, Record)}
        assert {recording.name for recording in repo.recordings.values()} <= made
