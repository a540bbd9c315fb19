"""The expressions of corrections in Prometheus and VictoriaMetrics: both know ``@``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import pytest

from otel_meta.model.slo.correction import Correction
from otel_meta.render.options import Options
from otel_meta.render.rules.alerting_rules import alerting_groups
from otel_meta.render.rules.recording_rules import recording_groups
from otel_meta.render.rules.rule import Record
from otel_meta.repos.nebula import Nebula
from tests.backends.query_engines import QueryEngine, VictoriaMetrics, backfill, prometheus
from tests.rules.raw_series import identity, label_text

SLO: Final = Nebula.api_availability
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
START: Final = int(BEGIN.timestamp())
HOUR: Final = 3600
TIMES: Final = range(START, START + 3 * HOUR + 1, 60)
CORRECTION: Final = Correction(
    begin=BEGIN + timedelta(hours=1),
    end=BEGIN + timedelta(hours=2),
    reason="Announced maintenance.",
    service={"service_name": "svc"},
)
EARLIER: Final = replace(
    CORRECTION, begin=BEGIN + timedelta(minutes=5), end=BEGIN + timedelta(minutes=15)
)
EDGES: Final = {"correction": "2026-01-01T01:00:00Z/2026-01-01T02:00:00Z"}
HISTORY: Final = {
    # An hour of 10 events a minute, an hour of bad events, and an hour with a tenth of bad events.
    "slo:total:cumulative": "0+10x180",
    "slo:bad:cumulative": "0x60 10+10x59 601+1x59",
    "slo:total:correction_begin": "600x180",
    "slo:total:correction_end": "1200x180",
    "slo:bad:correction_begin": "0x180",
    "slo:bad:correction_end": "600x180",
    "slo:bad:excluded_period": "600x180",
    "slo:total:excluded_period": "600x180",
}
DURING, AFTER = START + 90 * 60, START + 180 * 60


class Engines(NamedTuple):
    """Both engines with the same counts."""

    prometheus: QueryEngine
    victoria: QueryEngine


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Both engines with the counts of three hours."""
    folder = tmp_path_factory.mktemp("engines")
    own = {**identity(Nebula), "slo": SLO.name}
    series = {
        name + label_text(own | (EDGES if ":correction_" in name else {})): values
        for name, values in HISTORY.items()
    }
    (folder / "prometheus").mkdir()
    (folder / "victoria").mkdir()
    backfill(series, TIMES, folder / "prometheus")
    with (
        VictoriaMetrics.running(folder / "victoria") as victoria,
        prometheus(folder / "prometheus") as engine,
    ):
        victoria.import_series(series, TIMES)
        yield Engines(engine, victoria)


def expressions() -> dict[str, str]:
    """Return the expressions of the last correction by the name of the recording."""
    options = Options(corrections=(EARLIER, CORRECTION))
    groups = (*recording_groups(Nebula, options), *alerting_groups(Nebula, options))
    rules = (rule for group in groups for rule in group.rules if group.name.startswith(SLO.name))
    return {rule.record: rule.expr for rule in rules if isinstance(rule, Record)}


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("slo:total:correction_begin", DURING, 600),
        ("slo_correction_age_seconds", DURING, 0),
        ("slo:since_correction:seconds", DURING, 0),
        ("slo:total:correction_begin", AFTER, 600),
        ("slo:total:correction_end", AFTER, 1200),
        ("slo:bad:correction_end", AFTER, 600),
        ("slo_correction_age_seconds", AFTER, HOUR),
        ("slo:since_correction:seconds", AFTER, HOUR),
        ("slo:bad:excluded_period", AFTER, 600),
        ("slo:total:excluded_period", AFTER, 600),
        ("slo:bad:increase_period", AFTER, 60),
        ("slo:bad:increase1d", AFTER, 60),
    ],
)
def test_engines_exclude_the_same_events(
    engines: Engines, name: str, at: int, expected: float
) -> None:
    """Both engines exclude the same events, during a correction and after it."""
    expr = expressions()[name]

    assert [expected] == list(engines.prometheus.query(expr, at).values())
    assert [expected] == list(engines.victoria.query(expr, at).values())


@pytest.mark.parametrize("name", ["slo:bad:correction_begin", "slo_correction_age_seconds"])
def test_correction_has_no_series_before_it_begins_and_after_the_period(
    engines: Engines, name: str
) -> None:
    """A correction has no series before it begins, and after it has left the period."""
    expr = expressions()[name]
    for engine in engines:
        for at in (START + 59 * 60, START + 2 * HOUR + SLO.period.seconds):
            assert {} == engine.query(expr, at)
