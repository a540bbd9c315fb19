from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from otel_meta.testing import OtlpReceiver
from tests.conftest import Run, wait_until

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
handle = atlas.tiles.with_labels()

context = multiprocessing.get_context("fork")
all_workers = context.Barrier(3)

def work(_):
    all_workers.wait()  # each worker gets three of nine tasks
    for _ in range(1000):
        tile(1)
        handle.add(1)
    atlas.open.add(1)

def scraped(name):
    page = telemetry.scrape.render()[0].decode()
    return [line.rpartition(" ")[2] for line in page.splitlines() if line.startswith(name + "{{")]

if __name__ == "__main__":
    tile(5)
    atlas.open.add(7)
    with context.Pool(3) as pool:
        pool.map(work, range(9), chunksize=1)
        {before_end}
        pool.close()
        pool.join()
    {after_end}
'''


class TestPool:
    def test_workers_of_pool_are_counted(self, script: Callable[..., Run], tmp_path: Path) -> None:
        """Forked workers of a pool are counted, through methods and handles of the parent."""
        source = POOL.format(
            options="",
            before_end="pass",
            after_end='print(scraped("atlas_tiles_total"), scraped("atlas_open"))',
        )
        run = script(source, OTEL_META_MULTIPROCESS_DIR=str(tmp_path / "numbers"))

        assert ("['18005.0'] ['7.0']\n", "") == (run.stdout, run.stderr)
        assert ["totals"] == [path.name for path in (tmp_path / "numbers").iterdir()]

    def test_workers_of_pool_push_their_own(
        self, script: Callable[..., Run], tmp_path: Path
    ) -> None:
        """Each forked worker of a pool pushes its own numbers, as an instance of its own."""
        expected = [5.0, 6000.0, 6000.0, 6000.0]  # of the parent, and of three children
        pushed = tmp_path / "pushed"
        with OtlpReceiver() as sink, ThreadPoolExecutor(1) as thread:
            source = POOL.format(
                options=f'otlp_endpoint="{sink.endpoint}", metric_interval=0.05',
                before_end=f"while not os.path.exists({str(pushed)!r}): time.sleep(0.01)",
                after_end="",
            )
            directory = str(tmp_path / "numbers")
            running = thread.submit(script, source, OTEL_META_MULTIPROCESS_DIR=directory)
            wait_until(lambda: running.done() or pushed_totals(sink) == expected)
            pushed.touch()
            run = running.result()

        assert (0, "") == (run.code, run.stderr)
        assert expected == pushed_totals(sink)


def pushed_totals(sink: OtlpReceiver) -> list[float]:
    """Return the last total of each instance, in ascending order."""
    last: dict[str, float] = {}
    for request in sink.requests_of(ExportMetricsServiceRequest):
        for resource in request.resource_metrics:
            attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == "atlas.tiles":
                        (point,) = metric.sum.data_points
                        last[attributes["service.instance.id"]] = point.as_double
    return sorted(last.values())
