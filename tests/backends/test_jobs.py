"""Jobs that end at once, through a sidecar to a Prometheus without feature flags."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from otel_meta.cli.demo.stack_config import prometheus_config
from otel_meta.repos import Chronos
from otel_meta.testing.loopback import free_port
from tests.backends.alerting_servers import Prometheus, write_fast_rules
from tests.backends.collector_server import Collector
from tests.conftest import environment
from tests.rules.pinned_tools import ROOT
from tests.waiting import poll, poll_for

RUNS = 5
COUNTS = 4
WAYS = ("alone", "processes", "pool", "prefork", "terminated")
SLO = "chronos-pipeline-success"
EXAMPLE = "nightly-orders"


@dataclass
class Jobs:
    """What Prometheus has counted of all jobs."""

    runs: float
    """Runs of the example."""
    failures: float
    ways: Mapping[str, float]
    """Counts of `counted_job` by its way, and of all ways in one series."""
    control: float
    """Counts of a process that is no job."""
    total: int
    """The total of the SLO of the example, by its rule."""
    bad: int
    error_ratio: float
    severities: set[str]
    """Of the firing alerts about the budget of this SLO."""
    dropped: int
    """Points that the sidecar did not add."""


def run_jobs() -> Jobs:
    """Run the example five times, with a restart of the sidecar, and the counted jobs meanwhile."""
    with TemporaryDirectory(prefix="otel-meta-jobs-") as name:
        folder = Path(name)
        sidecar = Collector("sidecar.yaml", folder / "sidecar")
        rules = write_fast_rules(folder / "rules", ["chronos"])
        config = prometheus_config(rules, free_port(), sidecar.ports["METRICS"])
        with sidecar, Prometheus(folder / "prometheus", config) as prometheus:
            sidecar.wait_until_ready()
            prometheus.wait_until_ready()
            run_counted_jobs(sidecar)
            ways = {way: poll_for(COUNTS, partial(counted, prometheus, way)) for way in WAYS}
            ways["all"] = poll_for(COUNTS * len(WAYS), partial(counted, prometheus, "all"))
            dropped = dropped_points(sidecar)
            for number in range(RUNS):
                start("examples/batch_job.py", "--fail", sidecar=sidecar).communicate()
                if number == RUNS // 2:
                    poll_for(number + 1.0, lambda: example_runs(prometheus))
                    sidecar.stop()
                    sidecar.start().wait_until_ready()
            runs = poll_for(float(RUNS), lambda: example_runs(prometheus))
            total, bad = "slo:total:increase6h", "slo:bad:increase6h"
            of_slo = f'slo="{SLO}",service_name="{EXAMPLE}"'
            return Jobs(
                runs=runs,
                failures=example_runs(prometheus, 'outcome="failure"'),
                ways=ways,
                control=counted(prometheus, "alone", "control"),
                total=poll_for(RUNS, lambda: round(prometheus.query_sum(f"{total}{{{of_slo}}}"))),
                bad=round(prometheus.query_sum(f"{bad}{{{of_slo}}}")),
                error_ratio=poll(lambda: prometheus.query_sum(f"slo:error_ratio:1h{{{of_slo}}}")),
                severities=poll(lambda: severities(prometheus)),
                dropped=dropped,
            )


def run_counted_jobs(sidecar: Collector) -> None:
    """Run all ways at the same time, and a process that is no job."""
    script = "tests/backends/counted_job.py"
    jobs = {
        way: start(script, way, str(COUNTS), sidecar=sidecar, OTEL_META_JOB="true") for way in WAYS
    }
    control = start(
        script,
        "alone",
        str(COUNTS),
        sidecar=sidecar,
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=control",
        OTEL_META_SCRAPE_INTERVAL="0",
    )
    stdout = jobs["terminated"].stdout
    assert stdout is not None
    while stdout.readline() != "counted\n":
        pass
    jobs["terminated"].terminate()
    for job in (*jobs.values(), control):
        job.communicate()
    codes = {way: job.returncode for way, job in jobs.items()}
    assert {**dict.fromkeys(WAYS, 0), "terminated": -signal.SIGTERM} == codes
    assert 0 == control.returncode


def start(script: str, *arguments: str, sidecar: Collector, **more: str) -> subprocess.Popen[str]:
    """Start a job that sends to a sidecar."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": sidecar.otlp,
        "OTEL_META_SCRAPE_INTERVAL": "3",  # of Prometheus: 1, and a busy machine is late
        **more,
    }
    return subprocess.Popen(
        [sys.executable, ROOT / script, *arguments],
        cwd=ROOT,
        env=environment(variables) | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def example_runs(prometheus: Prometheus, selector: str = "") -> float:
    """Return the runs of the example that Prometheus has counted."""
    return increments(prometheus, f"{Chronos.pipeline_runs.prometheus_name}{{{selector}}}")


def counted(prometheus: Prometheus, way: str, stage: str = "") -> float:
    """Return what Prometheus has counted in one way."""
    name = Chronos.records_processed.prometheus_name
    selector = f'pipeline="{way}",deployment_environment_name="{stage}"'
    return increments(prometheus, f'{name}{{service_name="counted-jobs",{selector}}}')


def increments(prometheus: Prometheus, series: str) -> float:
    """Return the sum of all increases from sample to sample, without extrapolation."""
    found: list[Any] = prometheus.get("query", query=f"{series}[10m]")["result"]
    values = [[float(value) for _, value in each["values"]] for each in found]
    steps = (step for each in values for step in pairwise(each))
    return sum(new if new < old else new - old for old, new in steps)


def severities(prometheus: Prometheus) -> set[str]:
    """Return the severities of firing alerts about the budget of the SLO."""
    alerts = f'ALERTS{{alertname=~"SloErrorBudgetBurn.*",slo="{SLO}",alertstate="firing"}}'
    return {sample.labels["severity"] for sample in prometheus.query(alerts)}


def dropped_points(sidecar: Collector) -> int:
    """Return the number of points that the sidecar could not add."""
    points = sidecar.series("deltatocumulative_datapoints")
    return round(sum(value for labels, value in points if "error" in labels))


@pytest.fixture
def jobs(background_result: Jobs) -> Jobs:
    """What Prometheus has counted, after the end of all jobs."""
    return background_result


pytestmark = pytest.mark.background.with_args(run_jobs)


def test_each_run_of_example_counts(jobs: Jobs) -> None:
    """Each of five runs counts once, also after a restart of the sidecar between two runs."""
    assert (RUNS, RUNS) == (jobs.runs, jobs.failures)


def test_slo_of_example_burns(jobs: Jobs) -> None:
    """The rules count five runs, all bad, and the SLO burns."""
    assert (RUNS, RUNS, 1) == (jobs.total, jobs.bad, round(jobs.error_ratio, 3))


def test_alert_about_example_fires(jobs: Jobs) -> None:
    """The alert about the error budget of the example fires."""
    assert jobs.severities


@pytest.mark.parametrize("way", WAYS)
def test_counts_of_all_processes_are_added(jobs: Jobs, way: str) -> None:
    """The counts of a job's processes are added, however they are started and end."""
    assert COUNTS == jobs.ways[way]


def test_concurrent_jobs_add_to_one_series(jobs: Jobs) -> None:
    """Jobs that run at the same time add to one series, and the sidecar drops no point."""
    assert (COUNTS * len(WAYS), 0) == (jobs.ways["all"], jobs.dropped)


def test_process_that_is_no_job_does_not_count(jobs: Jobs) -> None:
    """The first counts of a process that is no job are lost, if it ends at once."""
    assert 0 == jobs.control
