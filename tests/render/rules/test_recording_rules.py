from __future__ import annotations

import re

from otel_meta.render.options import Options
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
    """Return the rules of a group by the recorded series."""
    rules = list(recording_groups(Acme, Options()))[group].rules
    return {rule.record: rule for rule in rules if isinstance(rule, Record)}


def test_each_slo_has_group_and_declared_recordings_have_group() -> None:
    """Each SLO has a group, and the declared recordings have a group."""
    assert ["acme-answered", "acme-quick", "acme-measures"] == [
        group.name for group in recording_groups(Acme, Options())
    ]


def test_every_ratio_is_quotient_of_sums_for_each_span() -> None:
    """Every ratio is a quotient of sums, for each span of a burn window."""
    found = records(0)

    for name, span in {"5m": "5m", "6h": "6h", "1d": "1d:5m", "period": "30d:5m"}.items():
        ratio = RATIO.replace("SPAN", span)
        if ":" in span:  # read once in five minutes, so of what was averaged over them
            ratio = ratio.replace(":increase5m", ":avg5m_increase5m")
        wanted = Record(f"slo:error_ratio:{name}", ratio, OWN)

        assert wanted == found[wanted.record]


def test_budget_compliance_and_burn_rate_follow_from_ratios() -> None:
    """Budget, compliance and burn rate follow from the ratios."""
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


def test_only_info_series_has_labels_that_may_change() -> None:
    """Only the info series has labels that may change."""
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


def test_rule_reads_only_series_of_earlier_rules_in_its_group() -> None:
    """A rule reads only series that earlier rules of its group record."""
    names = {*records(0)}
    recorded: set[str] = set()
    for rule in next(recording_groups(Acme, Options())).rules:
        assert names & {*re.findall(r"[a-zA-Z_:][\w:]*", rule.expr)} <= recorded
        recorded.add(rule.record if isinstance(rule, Record) else rule.alert)

    assert names == recorded


def test_each_declared_recording_is_recorded_under_its_name() -> None:
    """Each declared recording is recorded under its name."""
    for repo in BUILTIN:
        made = {
            r.record
            for g in recording_groups(repo, Options())
            for r in g.rules
            if isinstance(r, Record)
        }
        assert {recording.name for recording in repo.recordings.values()} <= made
