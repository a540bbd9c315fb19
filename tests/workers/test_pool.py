from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from otel_meta.testing import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

POOL = '''
import multiprocessing, os, time
from otel_meta import Counter, MetaRepo, NoLabels, UpDownCounter, configure

class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""
    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
    open = UpDownCounter("atlas.open", "Tiles that are open.", NoLabels)

telemetry = configure("maps", Atlas, log_stream=None, {options})
atlas = telemetry.bind(Atlas)
tile = atlas.tiles.add
bound = atlas.tiles.with_labels()

def work(_):
    for _ in range(1000):
        tile(1)
        bound.add(1)
    atlas.open.add(1)
    {after}

def shown(name):
    page = telemetry.scrape.render()[0].decode()
    return [line.rpartition(" ")[2] for line in page.splitlines() if line.startswith(name + "{{")]

if __name__ == "__main__":
    tile(5)
    atlas.open.add(7)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(work, range(9), chunksize=1)
        pool.close()
        pool.join()
    {end}
'''


class TestPool:
    def test_totals(self, script: Callable[..., Run], tmp_path: Path) -> None:
        """Forked workers count into numbers of their own, through handles of the parent's too."""
        source = POOL.format(
            options="",
            after="pass",
            end='print(shown("atlas_tiles_total"), shown("atlas_open"))',
        )
        run = script(source, OTEL_META_MULTIPROCESS_DIR=str(tmp_path / "numbers"))

        assert "" == run.stderr
        assert "['18005.0'] ['7.0']\n" == run.stdout
        assert ["totals"] == [path.name for path in (tmp_path / "numbers").iterdir()]

    def test_push(self, script: Callable[..., Run], tmp_path: Path) -> None:
        """Forked workers push what is theirs, each as an instance of its own."""
        with OtlpReceiver() as sink:
            source = POOL.format(
                options=f'otlp_endpoint="{sink.endpoint}", metric_interval=0.05',
                after="time.sleep(0.5)",
                end="",
            )
            run = script(source, OTEL_META_MULTIPROCESS_DIR=str(tmp_path / "numbers"))

            assert (0, "") == (run.code, run.stderr)
            assert {5.0, 18000.0} == pushed(sink)


def pushed(sink: OtlpReceiver) -> set[float]:
    """The last total of the parent, and the sum of those of its children."""
    last: dict[str, float] = {}
    for request in sink.requests_of(ExportMetricsServiceRequest):
        for resource in request.resource_metrics:
            attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == "atlas.tiles":
                        (point,) = metric.sum.data_points
                        last[attributes["service.instance.id"]] = point.as_double
    parent = min(last.values())
    return {parent, sum(last.values()) - parent}
