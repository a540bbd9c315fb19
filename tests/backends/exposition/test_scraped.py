"""What a real Prometheus takes of pages that hold anything, in both formats."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from opentelemetry.trace import Span

from otel_meta.repos import BUILTIN
from otel_meta.testing import CapturedTelemetry, capture
from tests.backends.alerting_servers import Prometheus
from tests.rules.support import tool
from tests.runtime.prometheus.anything import (
    ANYTHING,
    OPENMETRICS,
    TEXT,
    Anything,
    recorded,
    samples,
)

if TYPE_CHECKING:
    from tests.conftest import Eventually

EXAMPLES = 25
TOKEN = "s3cret"
LISTENING: Mapping[str, Any] = {
    "prometheus_port": 0,
    "prometheus_host": "127.0.0.1",
    "prometheus_token": TOKEN,
}
FORMATS = {"PrometheusText0.0.4": TEXT, "OpenMetricsText1.0.0": OPENMETRICS}
MOVING = ("process_", "python_", "otel_meta_faults", "scrape_", "up")
"""Names of series that are otherwise at each scrape, and of those that Prometheus adds."""

PRESCRIBED = 'vulnerability_age_days use base unit "seconds" instead of "days"'

Series = dict[tuple[str, frozenset[tuple[str, str]]], str]


class Fleet(NamedTuple):
    """Processes that have recorded anything, the catalogue's last, and who scrapes them."""

    prometheus: Prometheus
    processes: list[CapturedTelemetry]
    span: Span


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Processes that have recorded anything, each scraped in both formats."""
    with ExitStack() as stack:
        processes = [stack.enter_context(recorded(each, **LISTENING)) for each in _examples()]
        catalogue = stack.enter_context(capture("maps", namespace="nebula", **LISTENING))
        span = _record_catalogue(catalogue)
        processes.append(catalogue)
        targets = [f"127.0.0.1:{_port(each)}" for each in processes]
        folder = tmp_path_factory.mktemp("exposition")
        prometheus = stack.enter_context(Prometheus(folder, _config(targets)))
        yield Fleet(prometheus.wait_until_ready(), processes, span)


def _examples() -> list[Anything]:
    found: list[Anything] = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(ANYTHING)
    def draw(anything: Anything) -> None:
        found.append(anything)

    draw()
    return found


def _record_catalogue(captured: CapturedTelemetry) -> Span:
    """Record something into every instrument within a sampled span, and return the span."""
    assert captured.telemetry.traces is not None
    tracer = captured.telemetry.traces.provider.get_tracer("test")
    with tracer.start_as_current_span("work") as span:
        for repo in BUILTIN:
            live = captured.bind(repo)
            for name, instrument in repo.instruments.items():
                verb = {"gauge": "set", "histogram": "record"}.get(instrument.kind, "add")
                some = {f.name: (f.values or ("some",))[0] for f in instrument.label_fields}
                getattr(getattr(live, name), verb)(1, **some)
    return span


def _config(targets: list[str]) -> str:
    jobs = [
        {
            "job_name": protocol,
            "scrape_protocols": [protocol],
            "authorization": {"credentials": TOKEN},
            "static_configs": [{"targets": targets}],
        }
        for protocol in FORMATS
    ]
    return yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs})


def _port(captured: CapturedTelemetry) -> int:
    assert captured.telemetry.metrics is not None
    assert captured.telemetry.metrics.port is not None
    return captured.telemetry.metrics.port.number


class TestScraped:
    @pytest.mark.parametrize("protocol", FORMATS)
    def test_taken(self, fleet: Fleet, protocol: str, eventually: Eventually) -> None:
        """Every page is taken whole: each series, with its labels and its value, and no other."""
        for captured in fleet.processes:
            target = f'{{job="{protocol}",instance="127.0.0.1:{_port(captured)}"}}'
            eventually(lambda target=target: fleet.prometheus.query(f"up{target}"))
            page = captured.prometheus_text(FORMATS[protocol])
            shown = _shown(page, FORMATS[protocol])

            assert [1.0] == [s.value for s in fleet.prometheus.query(f"up{target}")], page
            assert shown == _stored(fleet.prometheus, target), page

    def test_no_complaint(self, fleet: Fleet) -> None:
        """Prometheus has no word to say about them."""
        active = fleet.prometheus.get("targets", state="active")["activeTargets"]

        assert {""} == {target["lastError"] for target in active}
        assert [] == [line for line in fleet.prometheus.log().splitlines() if "level=WARN" in line]

    def test_exemplars(self, fleet: Fleet, eventually: Eventually) -> None:
        """In OpenMetrics, a counter and a bucket lead to the span in which they were measured."""
        names = ("model_inference_requests_total", "database_query_duration_seconds_bucket")

        def found(name: str) -> set[str]:
            query = {"query": name, "start": 0, "end": 10_000_000_000}
            series = fleet.prometheus.get("query_exemplars", **query)
            return {e["labels"]["trace_id"] for each in series for e in each["exemplars"]}

        trace = f"{fleet.span.get_span_context().trace_id:032x}"
        for name in names:
            eventually(lambda name=name: found(name))

            assert {trace} == found(name)

    def test_described(self, fleet: Fleet) -> None:
        """Types, units and descriptions arrive with them."""
        match = {"metric": "database_query_duration_seconds", "limit": 1}
        target = f'{{job="OpenMetricsText1.0.0",instance="127.0.0.1:{_port(fleet.processes[-1])}"}}'
        (told,) = fleet.prometheus.get("targets/metadata", match_target=target, **match)

        assert ("histogram", "seconds") == (told["type"], told["unit"])
        assert told["help"]


class TestPromtool:
    def test_catalogue(self, fleet: Fleet) -> None:
        """Promtool finds one fault with the catalogue's page, a name that is prescribed."""
        done = _check(fleet.processes[-1].prometheus_text())

        assert [PRESCRIBED] == done.stderr.splitlines()

    def test_anything(self, fleet: Fleet) -> None:
        """It reads every other page too; names there are whatever libraries choose."""
        for captured in fleet.processes[:-1]:
            page = captured.prometheus_text()

            assert "error" not in _check(page).stderr, page


def _check(page: str) -> subprocess.CompletedProcess[str]:
    command = [tool("promtool"), "check", "metrics"]
    return subprocess.run(command, input=page, capture_output=True, text=True, check=False)


def _shown(page: str, accept: str) -> Series:
    return {
        (name, frozenset(_label(*pair) for pair in labels if pair[1])): repr(float(value))
        for (name, labels), value in samples(page, accept).items()
        if not name.startswith(MOVING)
    }


def _stored(prometheus: Prometheus, target: str) -> Series:
    return {
        (
            one["metric"]["__name__"],
            frozenset(
                _label(name, value)
                for name, value in one["metric"].items()
                if name not in ("__name__", "job", "instance")
            ),
        ): repr(float(one["value"][1]))
        for one in prometheus.get("query", query=target)["result"]
        if not one["metric"]["__name__"].startswith(MOVING)
    }


def _label(name: str, value: str) -> tuple[str, str]:
    """Bounds of buckets are numbers, which may be written in several ways."""
    if name == "le":
        with suppress(ValueError):  # an attribute of that name may be anything
            return name, repr(float(value))
    return name, value
