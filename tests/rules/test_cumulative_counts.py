"""Cumulative counts, run by Prometheus' own rule engine: exact counts, gaps and renamed SLOs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from otel_meta.model import Slo
from otel_meta.render.options import Options
from otel_meta.render.rules.recording_rules import alert_records, slo_records
from otel_meta.render.rules.rule import Group, RuleFile
from otel_meta.render.rules.rule_formats import prometheus
from otel_meta.repos.nebula import Nebula
from tests.rules.promtool import Case, QueryTest, run_cases
from tests.rules.raw_series import identity, label_text
from tests.yaml_files import read_yaml

WHO = label_text(identity(Nebula) | {"slo": Nebula.api_availability.name})
FAILED = "http_server_request_duration_seconds_count" + label_text(
    identity(Nebula) | {"error_type": "500"}
)
GOOD = "http_server_request_duration_seconds_count" + label_text(identity(Nebula))


def groups(options: Options, slo: Slo = Nebula.api_availability) -> list[dict[str, Any]]:
    """Return the recordings of an SLO as one group."""
    records = (*alert_records(Nebula, slo, options), *slo_records(Nebula, slo, options))
    file = RuleFile("test", "test", (Group(slo.name, records),))
    return list(read_yaml(prometheus(file))["groups"])


def error(
    folder: Path, options: Options, series: dict[str, str], asked: Iterable[QueryTest]
) -> str:
    """Return the error of a case with a sample and an evaluation a minute, or an empty text."""
    case = Case(groups(options), series, tuple(asked))
    return run_cases({"case": case}, folder / "cases")["case"]


def test_anchored_counts_are_whole_events(tmp_path: Path) -> None:
    """From Prometheus 3.16 on, counts are whole events over every span."""
    series = {GOOD: "0+7x500", FAILED: "0x100 3x399"}
    asked = [
        QueryTest(130, "slo:bad:increase1h", {f"slo:bad:increase1h{WHO}": 3.0}),
        QueryTest(130, "slo:total:increase1h", {f"slo:total:increase1h{WHO}": 423.0}),
        QueryTest(480, "slo:bad:cumulative", {f"slo:bad:cumulative{WHO}": 3.0}),
        QueryTest(480, "slo:total:cumulative", {f"slo:total:cumulative{WHO}": 3363.0}),
        QueryTest(480, "slo:bad:increase1d", {f"slo:bad:increase1d{WHO}": 3.0}),
    ]

    assert "" == error(tmp_path, Options(prometheus=(3, 16)), series, asked)


def test_extrapolated_counts_are_within_scrape_interval_of_truth(tmp_path: Path) -> None:
    """Before Prometheus 3.16, counts differ by less than the share of a scrape interval."""
    series = {GOOD: "0+7x500", FAILED: "0x100 3x399"}
    asked = [
        QueryTest(130, "abs(slo:bad:increase1h - 3) > 3 / 60"),
        QueryTest(480, "abs(slo:bad:cumulative - 3) > 3 / 60"),
        QueryTest(480, "abs(slo:total:cumulative / 3363 - 1) > 1 / 360"),
    ]

    assert "" == error(tmp_path, Options(), series, asked)


def test_events_of_gap_in_scrapes_are_counted(tmp_path: Path) -> None:
    """Events that occur while the service is not scraped for two hours are counted afterwards."""
    series = {GOOD: "0+7x120 _x120 1687+7x200", FAILED: "0x120 _x120 500x200"}
    asked = [
        QueryTest(235, "slo:bad:cumulative > 0.5"),
        QueryTest(250, "abs(slo:bad:cumulative - 500) > 5"),
        QueryTest(243, "count(abs(slo:error_ratio:late - 500 / 1361) < 0.01)", {"{}": 1.0}),
        QueryTest(250, "slo:error_ratio:late"),
        QueryTest(250, "slo:bad:increase5m > 0.5"),
    ]

    assert "" == error(tmp_path, Options(), series, asked)


def test_missing_bucket_is_no_data(tmp_path: Path) -> None:
    """A histogram that no longer has the bucket of a latency SLO has no total events."""
    name = "http_server_request_duration_seconds"
    bucket = f"{name}_bucket{label_text(identity(Nebula) | {'le': '0.1'})}"
    series = {GOOD: "0+7x300", bucket: "0+7x100 stale"}
    slo = Nebula.api_latency
    mine = label_text(identity(Nebula) | {"slo": slo.name})
    asked = (
        QueryTest(90, "slo:bad:increase1h", {f"slo:bad:increase1h{mine}": 0.0}),
        QueryTest(103, "slo:total:increase1h"),
        QueryTest(103, "slo:bad:increase1h"),
        QueryTest(120, "slo:compliant:bool"),
    )
    case = Case(groups(Options(), slo), series, asked)

    assert "" == run_cases({"case": case}, tmp_path / "cases")["case"]


def test_renamed_slo_continues_with_its_counts(tmp_path: Path) -> None:
    """An SLO under a new name continues with the counts of its old name."""
    old = Nebula.api_availability
    new = Slo(
        "nebula-availability",
        objective=old.objective,
        period=old.period,
        sli=old.sli,
        why=old.why,
        formerly=(old.name,),
    )
    series = {
        GOOD: "0+7x1000",
        f"slo:total:cumulative{WHO}": "1000000+7x700 _x300",
        f"slo:bad:cumulative{WHO}": "1000+0x700 _x300",
    }
    mine = f'{{slo="{new.name}"}}'
    asked = [
        QueryTest(990, f"abs(slo:total:cumulative{mine} - 1006930) > 30"),
        QueryTest(990, f"count(slo:total:cumulative{mine})", {"{}": 1.0}),
        QueryTest(990, f"abs(slo:bad:cumulative{mine} - 1000) > 0.5"),
    ]
    case = Case(groups(Options(), new), series, asked)

    assert "" == run_cases({"case": case}, tmp_path / "cases")["case"]
