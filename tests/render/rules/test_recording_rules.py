from __future__ import annotations

import re

from otel_meta.model import Slo
from otel_meta.render.options import Options
from otel_meta.render.rules.recording_rules import (
    alert_records,
    recording_groups,
    slo_records,
)
from otel_meta.render.rules.rule import Record
from otel_meta.repos import BUILTIN
from tests.render.acme import Acme

BY = "service_namespace, service_name, deployment_environment_name, environment, cluster"
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


def test_every_ratio_is_quotient_of_counts_for_each_span() -> None:
    """Every ratio is a quotient of counts, for each span of a burn window."""
    found = records(0)
    mine = '{slo="acme-answered"}'
    ratio = f"slo:bad:increase6h{mine} / (slo:total:increase6h{mine} > 0)"

    assert Record("slo:error_ratio:6h", ratio, OWN) == found["slo:error_ratio:6h"]
    for span, offset in {"1d": "1d", "3d": "3d", "_period": "30d"}.items():
        expr = found[f"slo:error_ratio:{span.removeprefix('_')}"].expr
        above, total = expr.split(f"\n/ on ({BY}) (\n")

        assert f"slo:bad:increase{span}{mine}" == above
        assert f"slo:total:cumulative{mine} offset {offset}\n" in total
        assert total.endswith(") > 0\n)")


def test_long_count_is_difference_of_cumulative_counts() -> None:
    """A count over a long span is the difference of two cumulative counts."""
    bad = 'slo:bad:cumulative{slo="acme-answered"}'
    expected = f"""\
{bad}
- on ({BY}) (
  {bad} offset 1d
  or max_over_time({bad}[36d:2h] offset 1d)
  or 0 * {bad}
)"""

    assert expected == records(0)["slo:bad:increase1d"].expr


def test_renamed_slo_continues_with_counts_of_its_old_name() -> None:
    """A renamed SLO looks for earlier counts under its old names as well."""
    slo = Slo(
        "acme-replied",
        objective="99.9%",
        period="30d",
        sli=Acme.answered.sli,
        why="Somebody waits.",
        formerly=("acme-answered",),
    )
    found = {record.record: record.expr for record in slo_records(Acme, slo, Options())}
    both = 'slo:total:cumulative{slo=~"acme-replied|acme-answered"}'

    assert f"max by ({BY}) ({both} offset 6h)" in found["slo:total:cumulative"]
    bad = both.replace("total", "bad")
    assert f"max by ({BY}) ({bad} offset 30d)" in found["slo:bad:increase_period"]
    assert f"sum by ({BY}) (count_over_time({both}[30d:2h]))" in found["slo:period_coverage:ratio"]


def test_budget_compliance_and_burn_rate_follow_from_ratios() -> None:
    """Budget, compliance and burn rate follow from the ratios."""
    found = records(0)
    mine = '{slo="acme-answered"}'

    assert (
        f"1 - slo:error_ratio:period{mine} / 0.001"
        == found["slo:error_budget_remaining:ratio"].expr
    )
    total = f"slo:total:increase5m{mine}"
    kept = (
        f"(slo:error_ratio:period{mine} <= bool 0.001)\nand\n"
        f"({total} or max_over_time({total}[6h:5m]))"
    )

    assert kept == found["slo:compliant:bool"].expr
    assert f"slo:error_ratio:1h{mine} / 0.001" == found["slo:burn_rate:1h"].expr
    assert f"0 * slo:total:cumulative{mine} + 0.999" == found["slo:objective:ratio"].expr


def test_only_info_series_has_labels_that_may_change() -> None:
    """Only the info series has labels that may change."""
    info = {
        "objective": "99.9%",
        "owner": "anvils",
        "period": "30d",
        "slo": "acme-answered",
        "tier": "3",
    }
    others = [rule.labels for name, rule in records(0).items() if "info" not in name]

    assert info == records(0)["slo_info"].labels
    assert {"slo"} == set().union(*others)


def test_rule_reads_only_series_of_earlier_rules_in_its_group() -> None:
    """A rule reads only series that earlier rules record; cumulative counts read themselves too."""
    rules = list(alert_records(Acme, Acme.answered, Options()))
    rules += slo_records(Acme, Acme.answered, Options())
    names = {rule.record for rule in rules}
    recorded: set[str] = set()
    for rule in rules:
        own = {rule.record} if rule.record.endswith(":cumulative") else set[str]()
        assert names & {*re.findall(r"[a-zA-Z_:][\w:]*", rule.expr)} <= recorded | own
        recorded.add(rule.record)

    assert len(rules) == len(recorded)


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
