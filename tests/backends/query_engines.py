"""Prometheus and VictoriaMetrics with the same history, and the same rules replayed over both."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request

from otel_meta.testing.loopback import free_port, open_url
from otel_meta.testing.servers import PROMETHEUS, Backend, Program
from tests.rules import prometheus_server as servers
from tests.rules.pinned_tools import tool
from tests.waiting import TIMEOUT
from tests.yaml_files import read_yaml

VICTORIA_METRICS = Program(
    binary="victoria-metrics",
    arguments=(
        "-storageDataPath={data}",
        "-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
    ),
    ready="/health",
)
SCRAPE_INTERVAL = 15
EVALUATION_INTERVAL = 60

Values = Mapping[int, float]
"""The values of a series by time, in seconds since 1970."""
RangeResult = Mapping[str, Values]
"""The values of each series, by its labels in PromQL."""
PromtoolSeries = Mapping[str, str]
"""Values in the notation of promtool's tests, such as ``1+2x3``, by series."""


@dataclass(frozen=True)
class TimeRange:
    """A range of time in seconds since 1970, with both ends."""

    start: int
    end: int

    def times(self, step: int) -> range:
        """Return the times of all steps."""
        return range(self.start, self.end + 1, step)


def expand(values: str, times: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Yield time and value of each sample of a series in promtool's notation."""
    yield from zip(times, chain.from_iterable(map(_expand_run, values.split())), strict=True)


def _expand_run(text: str) -> Iterator[float]:
    first, _, count = text.partition("x")
    start, _, step = first.partition("+")
    for n in range(int(count or 0) + 1):
        yield float(start) + float(step or 0) * n


class QueryEngine:
    """A client of Prometheus' query API, which VictoriaMetrics has as well."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query_range(
        self, expr: str, span: TimeRange, step: int = EVALUATION_INTERVAL
    ) -> RangeResult:
        """Return the result of a range query.

        Raises:
            AssertionError: the engine refuses the expression.
        """
        return {
            _series_text(series["metric"]): {int(at): float(v) for at, v in series["values"]}
            for series in self._query_range(expr, span, step)
        }

    def query(self, expr: str, at: int) -> Mapping[str, float]:
        """Return the result of an instant query with vmalert's step, by series."""
        parameters = {"query": expr, "time": at, "step": "5m", "nocache": 1}
        return {
            _series_text(series["metric"]): float(series["value"][1])
            for series in self._result("query", parameters)
        }

    def recorded_samples(self, rule: Mapping[str, Any], span: TimeRange) -> Iterator[str]:
        """Yield a line of OpenMetrics for each sample that a recording rule would have recorded."""
        for series in self._query_range(rule["expr"], span, EVALUATION_INTERVAL):
            labels = series["metric"] | {"__name__": rule["record"]} | rule.get("labels", {})
            text = _series_text(labels)
            yield from (f"{text} {value} {int(at)}\n" for at, value in series["values"])

    def _query_range(self, expr: str, span: TimeRange, step: int) -> Any:
        parameters = {"query": expr, "start": span.start, "end": span.end, "step": step}
        return self._result("query_range", {**parameters, "nocache": 1})

    def _result(self, path: str, parameters: Mapping[str, object]) -> Any:
        try:
            body = servers.fetch(f"{self.url}/api/v1/{path}?{urlencode(parameters)}")
        except HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        return json.loads(body)["data"]["result"]


def _series_text(labels: Mapping[str, str]) -> str:
    matchers = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
    return f"{labels.get('__name__', '')}{{{matchers}}}"


class VictoriaMetrics(QueryEngine):
    """A single-node VictoriaMetrics, and vmalert with VictoriaMetrics as its data source."""

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[VictoriaMetrics]:
        """Run an empty VictoriaMetrics."""
        server = Backend(program=VICTORIA_METRICS, folder=folder, config="", port=0)
        with server:
            yield cls(server.wait_until_ready().url)

    def import_series(self, series: PromtoolSeries, times: Sequence[int]) -> None:
        """Import series with their samples at these times."""
        text = "".join(_sample_lines(series, times, per_second=1000))
        url = f"{self.url}/api/v1/import/prometheus"
        with open_url(Request(url, text.encode(), method="POST"), timeout=TIMEOUT):
            self.flush()

    def flush(self) -> None:
        """Make all written samples visible to queries."""
        servers.fetch(f"{self.url}/internal/force_flush")

    def stored_samples(self, selector: str) -> Values:
        """Return the stored samples of a series."""
        self.flush()
        lines = servers.fetch(f"{self.url}/api/v1/export?{urlencode({'match[]': selector})}")
        return {
            at // 1000: value
            for series in map(json.loads, lines.splitlines())
            for at, value in zip(series["timestamps"], series["values"], strict=True)
        }

    def replay(self, rules: Path, span: TimeRange) -> None:
        """Evaluate rules over a range of time with vmalert, and store the results."""
        done = vmalert(
            f"-rule={rules}",
            f"-datasource.url={self.url}",
            f"-remoteWrite.url={self.url}",
            f"-replay.timeFrom={_iso(span.start)}",
            f"-replay.timeTo={_iso(span.end)}",
            "-replay.rulesDelay=0s",
            "-replay.disableProgressBar",
            "-disableAlertgroupLabel",
            f"-httpListenAddr=127.0.0.1:{free_port()}",
        )
        assert 0 == done.returncode, done.stderr
        self.flush()

    @contextmanager
    def evaluating(self, rules: Path) -> Iterator[str]:
        """Evaluate rules in real time while the context is open, and yield the URL of vmalert."""
        address = f"127.0.0.1:{free_port()}"
        command: list[str | Path] = [
            tool("vmalert"),
            f"-rule={rules}",
            f"-datasource.url={self.url}",
            f"-remoteWrite.url={self.url}",
            "-notifier.blackhole",
            f"-httpListenAddr={address}",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(TIMEOUT)


def vmalert(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run vmalert until it ends."""
    return subprocess.run(
        [tool("vmalert"), *arguments], capture_output=True, text=True, check=False, timeout=300
    )


def _iso(time_: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_))


@contextmanager
def prometheus(folder: Path) -> Iterator[QueryEngine]:
    """Run Prometheus on the blocks in ``folder/data``, without compaction."""
    server = Backend(
        program=PROMETHEUS,
        folder=folder,
        config="global: {scrape_interval: 1h}",
        port=0,
        more=(
            "--storage.tsdb.retention.time=100y",
            "--no-storage.tsdb.allow-overlapping-compaction",
            "--storage.tsdb.min-block-duration=2h",
            "--storage.tsdb.max-block-duration=2h",
        ),
    )
    with server:
        yield QueryEngine(server.wait_until_ready().url)


def replay(rules: Path, span: TimeRange, folder: Path) -> None:
    """Evaluate recording rules over a range of time, and add the results to ``folder/data``.

    Promtool's own replay evaluates each group at another second. Here, both engines evaluate all
    groups at the same times.
    """
    with prometheus(folder) as engine:
        recorded = [
            line
            for group in read_yaml(rules.read_text())["groups"]
            for rule in group["rules"]
            for line in engine.recorded_samples(rule, span)
        ]
    _write_blocks(recorded, folder)


def backfill(series: PromtoolSeries, times: Sequence[int], folder: Path) -> None:
    """Add series with their samples at these times to the blocks of ``folder/data``."""
    _write_blocks(_sample_lines(series, times), folder)


def _write_blocks(lines: Iterable[str], folder: Path) -> None:
    (folder / "samples").write_text("".join(lines) + "# EOF\n")
    servers.backfill(folder / "samples", folder / "data")


def _sample_lines(
    series: PromtoolSeries, times: Sequence[int], per_second: int = 1
) -> Iterator[str]:
    """Yield a line for each sample; ``per_second`` is 1000 for times in milliseconds."""
    for name, values in series.items():
        for at, value in expand(values, times):
            yield f"{name} {value!r} {at * per_second}\n"
