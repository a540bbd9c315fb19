"""``otel-meta backfill`` against a real Prometheus: the budget is that of the whole period."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from otel_meta.cli import main
from otel_meta.model import Catalog
from otel_meta.model.slo.correction import Correction
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules.rule_formats import prometheus
from otel_meta.repos import BUILTIN
from otel_meta.repos.chronos import Chronos
from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.rules.prometheus_server import backfill, fetch

Output = pytest.CaptureFixture[str]

SLO = "chronos-pipeline-success"
NAMES = 'service_namespace="chronos-data-platform",service_name="nightly"'
DAYS = 8
GOOD, BAD = 10.0, 0.05
"""Events of each minute; the bad ones on the days `FAILING` only."""
FAILING = range(2, 4)
"""Days before now: within the period of 7 days, and before the rules began."""
BUDGET = 0.01
PATIENCE = 90.0


def counters(now: float) -> Iterator[str]:
    """Yield the samples of the raw counters, one a minute."""
    minutes = DAYS * 1440
    good, bad = 1_000_000.0, 1_000_000.0
    for minute in range(minutes + 1):
        at = now - 60 * (minutes - minute)
        fails = (minutes - minute) // 1440 in FAILING
        good, bad = good + GOOD, bad + (BAD if fails else 0)
        yield f'pipeline_runs_total{{{NAMES},pipeline="p",outcome="success"}} {good} {at:.0f}\n'
        yield f'pipeline_runs_total{{{NAMES},pipeline="p",outcome="failure"}} {bad} {at:.0f}\n'


def truth(corrected: int = 0) -> float:
    """Return the error budget that is left, from the events of the last 7 days.

    Args:
        corrected: days among the failing ones whose events do not count.
    """
    bad = BAD * 1440 * (len(FAILING) - corrected)
    return 1 - bad / (GOOD * 1440 * (7 - corrected) + bad) / BUDGET


def correction(now: float) -> Correction:
    """Return a correction of the first of the failing days."""
    begin = datetime.fromtimestamp(now, UTC) - timedelta(days=FAILING.stop)
    return Correction(begin=begin, end=begin + timedelta(days=1), reason="A failed disk.")


class Server:
    """A real Prometheus with eight days of raw counters, and the rules if they are loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        samples = folder / "raw.txt"
        samples.write_text("".join(sorted_by_series(counters(time.time()))) + "# EOF\n")
        backfill(samples, folder / "data")
        (folder / "rules").mkdir()
        self.load()

    def load(self, *corrections: Correction) -> None:
        """Write the rules, which are evaluated every two seconds, with corrections."""
        for file in rule_files(Catalog((Chronos,)), Options(corrections=corrections)):
            if file.name.startswith(Chronos.name):
                quick = re.sub(r"interval: (?:30s|1m)\b", "interval: 2s", prometheus(file))
                (self.folder / "rules" / f"{file.name}.yml").write_text(quick)

    def backend(self, *, rules: bool) -> Backend:
        """Return the server, with or without the rules."""
        config = "global: {scrape_interval: 1h}\n"
        config += f"rule_files: ['{self.folder}/rules/*.yml']\n" if rules else ""
        return Backend(program=PROMETHEUS, folder=self.folder, config=config, port=0)


def sorted_by_series(lines: Iterator[str]) -> list[str]:
    """Return the samples series by series, each in the order of time."""
    return sorted(lines, key=lambda line: line.partition("} ")[0])


def budget(url: str, least: int = 3) -> float:
    """Return the recorded budget, once it stands still."""
    until, values = time.monotonic() + PATIENCE, list[float]()
    query = f'slo:error_budget_remaining:ratio{{slo="{SLO}"}} and slo:burn_rate:1h'
    while time.monotonic() < until:
        found = json.loads(fetch(f"{url}/api/v1/query", query=query))["data"]["result"]
        values += [round(float(one["value"][1]), 3) for one in found]
        if len(values) > least and 1 == len({*values[-least:]}):
            return values[-1]
        time.sleep(2)
    pytest.fail(f"the budget is not recorded: {values}")


def run(url: str, out: Path, *more: str) -> int:
    """Run the command for the SLO."""
    return main(["backfill", "--prometheus", url, "--out", str(out), "--slo", SLO, *more])


def move(out: Path, data: Path) -> None:
    """Move the blocks as the command says."""
    for block in out.iterdir():
        shutil.move(block, data / block.name)


def test_budget_after_backfill_is_that_of_the_period(tmp_path: Path, capsys: Output) -> None:
    """The budget after a backfill is that of the whole period; without it, of the last hours."""
    server = Server(tmp_path)
    with server.backend(rules=False) as backend:
        assert 0 == run(backend.wait_until_ready().url, tmp_path / "out")
    assert f"mv {tmp_path}/out/* DATA/" in capsys.readouterr().out
    move(tmp_path / "out", tmp_path / "data")
    with server.backend(rules=True) as backend:
        assert truth() == pytest.approx(budget(backend.wait_until_ready().url), abs=0.01)


def test_backfill_continues_what_the_rules_have_recorded(tmp_path: Path, capsys: Output) -> None:
    """A backfill after the rules began ends where they began, and continues with their counts."""
    server = Server(tmp_path)
    with server.backend(rules=True) as backend:
        url = backend.wait_until_ready().url
        assert 1.0 == budget(url)  # nothing failed within the last hours
        assert 0 == run(url, tmp_path / "out")
    assert "samples of 2 series" in capsys.readouterr().out
    move(tmp_path / "out", tmp_path / "data")
    with server.backend(rules=True) as backend:
        assert truth() == pytest.approx(budget(backend.wait_until_ready().url), abs=0.01)


@pytest.mark.parametrize("known", [True, False], ids=["known before", "added later"])
def test_budget_after_backfill_is_that_without_corrected_day(
    tmp_path: Path, capsys: Output, *, known: bool
) -> None:
    """After a backfill, a correction excludes its day, whether the rules had it before or not."""
    server, corrected = Server(tmp_path), correction(time.time())
    with server.backend(rules=False) as backend:
        assert 0 == run(backend.wait_until_ready().url, tmp_path / "out")
    capsys.readouterr()
    move(tmp_path / "out", tmp_path / "data")
    if not known:
        with server.backend(rules=True) as backend:
            assert truth() == pytest.approx(budget(backend.wait_until_ready().url), abs=0.01)
    server.load(corrected)
    with server.backend(rules=True) as backend:
        url = backend.wait_until_ready().url

        assert truth(1) == pytest.approx(budget(url), abs=0.01)


def test_no_events_are_findings(tmp_path: Path, capsys: Output) -> None:
    """Without events in that time, the exit code is 1 and no block is written."""
    config = "global: {scrape_interval: 1h}\n"
    backend = Backend(program=PROMETHEUS, folder=tmp_path, config=config, port=0)
    with backend:
        assert 1 == run(backend.wait_until_ready().url, tmp_path / "out")
    assert "no events of these SLOs" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_slo_of_test_is_declared() -> None:
    """The SLO of the test has the period and the budget that the test counts with."""
    (slo,) = (slo for repo in BUILTIN for slo in repo.slos.values() if slo.name == SLO)

    assert ("7d", BUDGET) == (str(slo.period), float(slo.objective.budget))
