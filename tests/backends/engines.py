"""The same past in Prometheus and in VictoriaMetrics, and the same rules replayed over both.

No replay lets a rule read what another of the same file has just recorded, so rules go in layers:
those that read raw series first, then those that read these, and so on.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request

import yaml

from otel_meta.testing.loopback import free_port
from otel_meta.testing.servers import PROMETHEUS, Backend, Program
from tests.rules import prometheus_server as servers
from tests.rules.committed_rules import Groups
from tests.rules.pinned_tools import tool

VICTORIA = Program(
    binary="victoria-metrics",
    arguments=(
        "-storageDataPath={data}",
        "-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
    ),
    ready="/health",
)
SCRAPE = 15
EVALUATION = 60

Course = Mapping[int, float]
"""Values by time, in seconds since 1970."""
Answer = Mapping[str, Course]
"""By labels, written as PromQL writes them."""


@dataclass(frozen=True)
class Span:
    """From when to when, in seconds since 1970."""

    start: int
    end: int

    def times(self, step: int) -> range:
        """Each step of it, both ends included."""
        return range(self.start, self.end + 1, step)


def samples(values: str, times: Sequence[int]) -> Iterator[tuple[int, float]]:
    """What a series written as promtool's tests have it stands for."""
    yield from zip(times, chain.from_iterable(map(_run, values.split())), strict=True)


def _run(text: str) -> Iterator[float]:
    first, _, many = text.partition("x")
    start, _, step = first.partition("+")
    for n in range(int(many or 0) + 1):
        yield float(start) + float(step or 0) * n


class Engine:
    """What answers queries over HTTP as Prometheus does."""

    def __init__(self, url: str) -> None:
        self.url = url

    def course(self, expr: str, span: Span, step: int = EVALUATION) -> Answer:
        """An answer at each step.

        Raises:
            AssertionError: the engine does not take the expression.
        """
        asked = {"query": expr, "start": span.start, "end": span.end, "step": step, "nocache": 1}
        return {
            _written(one["metric"]): {int(at): float(value) for at, value in one["values"]}
            for one in self._result("query_range", asked)
        }

    def at(self, expr: str, when: int) -> Mapping[str, float]:
        """An answer as a rule gets it, with the step that vmalert gives."""
        asked = {"query": expr, "time": when, "step": "5m", "nocache": 1}
        return {
            _written(one["metric"]): float(one["value"][1]) for one in self._result("query", asked)
        }

    def recorded(self, rule: Mapping[str, Any], span: Span) -> Iterator[str]:
        """What a recording rule would have recorded, a line a sample."""
        asked = {"query": rule["expr"], "start": span.start, "end": span.end, "step": EVALUATION}
        for one in self._result("query_range", asked):
            labels = one["metric"] | {"__name__": rule["record"]} | rule.get("labels", {})
            yield from (f"{_written(labels)} {value} {int(at)}\n" for at, value in one["values"])

    def _result(self, path: str, asked: Mapping[str, object]) -> Any:
        try:
            body = servers.fetch(f"{self.url}/api/v1/{path}?{urlencode(asked)}")
        except HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        return json.loads(body)["data"]["result"]


def _written(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
    return f"{labels.get('__name__', '')}{{{inside}}}"


class VictoriaMetrics(Engine):
    """A single node, and vmalert on it."""

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[VictoriaMetrics]:
        """Start it with nothing in it."""
        server = Backend(program=VICTORIA, folder=folder, config="", port=0)
        with server:
            yield cls(server.wait_until_ready().url)

    def take(self, series: Mapping[str, str], times: Sequence[int]) -> None:
        """Import series, their values as promtool's tests write them."""
        text = "".join(_lines(series, times, unit=1000))
        url = f"{self.url}/api/v1/import/prometheus"
        with servers._OPEN(Request(url, text.encode(), method="POST"), timeout=60):
            self.flush()

    def flush(self) -> None:
        """Let queries see what has been written."""
        servers.fetch(f"{self.url}/internal/force_flush")

    def stored(self, selector: str) -> Course:
        """The samples of one series, as they are stored."""
        self.flush()
        lines = servers.fetch(f"{self.url}/api/v1/export?{urlencode({'match[]': selector})}")
        series = [json.loads(line) for line in lines.splitlines()]
        return {
            at // 1000: value
            for one in series
            for at, value in zip(one["timestamps"], one["values"], strict=True)
        }

    def replay(self, rules: Path, span: Span) -> None:
        """Have vmalert evaluate rules over a past, and write what comes of it."""
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
    def evaluating(self, rules: Path) -> Iterator[None]:
        """Have vmalert evaluate rules as time goes by, and write what comes of it."""
        command: list[str | Path] = [
            tool("vmalert"),
            f"-rule={rules}",
            f"-datasource.url={self.url}",
            f"-remoteWrite.url={self.url}",
            "-notifier.blackhole",
            f"-httpListenAddr=127.0.0.1:{free_port()}",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(servers.PATIENCE)


def vmalert(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run vmalert to its end."""
    return subprocess.run(
        [tool("vmalert"), *arguments], capture_output=True, text=True, check=False, timeout=300
    )


def _iso(when: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


@contextmanager
def prometheus(folder: Path) -> Iterator[Engine]:
    """Prometheus on ``folder/data``, which leaves its blocks as they are."""
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
        yield Engine(server.wait_until_ready().url)


def replay(rules: Path, span: Span, folder: Path) -> None:
    """Add what recording rules say of a past to the blocks of ``folder/data``.

    Promtool's own replay gives each group its own second; here, both engines agree on one.
    """
    with prometheus(folder) as served:
        recorded = [
            line
            for group in yaml.safe_load(rules.read_text())["groups"]
            for rule in group["rules"]
            for line in served.recorded(rule, span)
        ]
    _blocks(recorded, folder)


def backfill(series: Mapping[str, str], times: Sequence[int], folder: Path) -> None:
    """Add series to the blocks of ``folder/data``, their values as promtool's tests write them."""
    _blocks(_lines(series, times), folder)


def _blocks(lines: Iterable[str], folder: Path) -> None:
    (folder / "samples").write_text("".join(lines) + "# EOF\n")
    servers.backfill(folder / "samples", folder / "data")


def _lines(series: Mapping[str, str], times: Sequence[int], unit: int = 1) -> Iterator[str]:
    """A line a sample; ``unit`` is how many of its times make a second."""
    for name, values in series.items():
        for at, value in samples(values, times):
            yield f"{name} {value!r} {at * unit}\n"


def layers(groups: Groups, folder: Path) -> list[Path]:
    """Rule files, each of which reads only what those before it record."""
    depths = _depths([rule for group in groups for rule in group["rules"]])
    found = [
        (depths[_name(rule)], group["name"], rule) for group in groups for rule in group["rules"]
    ]
    found.sort(key=lambda one: one[:2])
    paths = []
    for depth, rules in groupby(found, key=lambda one: one[0]):
        together = groupby(rules, key=lambda one: one[1])
        file = [
            {"name": name, "interval": "1m", "rules": [rule for *_, rule in some]}
            for name, some in together
        ]
        paths.append(folder / f"layer-{depth}.yml")
        paths[-1].write_text(yaml.safe_dump({"groups": file}))
    return paths


def _name(rule: Mapping[str, Any]) -> str:
    name: str = rule.get("record") or rule["alert"]
    return name


def _depths(rules: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many rules there are between each one and raw series; alerts are read by nobody."""
    reads: dict[str, set[str]] = {}
    for rule in rules:
        words = set(re.findall(r"[a-zA-Z_:][\w:]*", rule["expr"]))
        reads.setdefault(_name(rule), set()).update(words)
    depths: dict[str, int] = {}
    while len(depths) < len(reads):
        for name, words in reads.items():
            needed = (words & reads.keys()) - {name}
            if name not in depths and needed <= depths.keys():
                depths[name] = 1 + max((depths[other] for other in needed), default=-1)
    return depths
