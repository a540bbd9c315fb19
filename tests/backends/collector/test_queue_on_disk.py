"""Fills the queues of a real sidecar: size on disk, start with a backlog, full queue, full file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from otel_meta.render.collector.queue_limits import (
    COMPACTION_NEEDED_MIB,
    COMPACTION_TRIGGER_MIB,
    FILE_BASE_MIB,
    FILE_FACTOR,
    MIB,
    file_bytes,
)
from otel_meta.testing.loopback import free_port
from tests.backends.collector.queue_on_disk import Filling, disk_usage, start_under_kubelet
from tests.backends.collector_server import Collector
from tests.backends.numbered_spans import SpanSink
from tests.render.stack.committed_stack import only
from tests.waiting import wait_until

QUEUES = {300: 4 * MIB, 2_000: 8 * MIB, 16_000: 32 * MIB}
"""Size of a queue by the size of its requests; small, since the ratio to the disk is the claim."""
KILLS = 3
GROWTH = 16 * MIB
"""The step in which a file grows: a file of its maximum size less the step is full."""


@dataclass
class Setup:
    """A sidecar, its filling, and the backend that is away."""

    sidecar: Collector
    filling: Filling
    sink: SpanSink


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    """Make a sidecar with a queue of a size, whose backend is away."""
    opened: list[Setup] = []

    def start(size: int, queue_bytes: int, **variables: str | int) -> Setup:
        sink = SpanSink(free_port())
        settings: dict[str, Any] = {
            "QUEUE_BYTES": queue_bytes,
            "QUEUE_FILE_BYTES": file_bytes(queue_bytes),
            "GATEWAY_PORT": sink.port,
            "LOG_EXPORTER": "load_balancing",
            **variables,
        }
        sidecar = Collector("sidecar.yaml", tmp_path / "sidecar", **settings)
        opened.append(Setup(sidecar, Filling(sidecar.start(), size), sink))
        sidecar.wait_until_ready()
        return opened[-1]

    yield start
    for setup in opened:
        setup.sink.stop()
        setup.sidecar.__exit__()


def startup_probe() -> Any:
    """Return the startup probe of the sidecar in the manifest."""
    pod = only("Deployment", "sidecar-by-hand.yaml")["spec"]["template"]["spec"]
    return pod["initContainers"][0]["startupProbe"]


class TestFullQueues:
    @pytest.mark.parametrize("size", QUEUES)
    def test_full_queue_fits_into_its_file_also_after_kills(self, size: int, make: Any) -> None:
        """A full queue fits into its file for requests of any size, also after kills."""
        setup = make(size, QUEUES[size])
        setup.filling.fill()
        used = [disk_usage(setup.sidecar.queue)]
        for _ in range(KILLS):
            setup.sidecar.kill()
            assert start_under_kubelet(setup.sidecar, startup_probe())
            used.append(disk_usage(setup.sidecar.queue))

        assert used[0] < FILE_FACTOR * QUEUES[size]
        assert max(used) - used[0] <= FILE_BASE_MIB * MIB - GROWTH
        assert "run out of available space" not in setup.sidecar.log()

    def test_backlog_survives_kill_and_arrives_and_file_shrinks(self, make: Any) -> None:
        """The backlog of a full queue survives a kill and arrives; then its file shrinks."""
        setup = make(16_000, QUEUES[16_000])
        sidecar, filling = setup.sidecar, setup.filling
        filling.fill()
        assert len(filling.refused) == sidecar.total("exporter_enqueue_failed_spans")
        assert disk_usage(sidecar.queue) > COMPACTION_NEEDED_MIB * MIB
        sidecar.kill()
        assert start_under_kubelet(sidecar, startup_probe())
        setup.sink.start()
        wait_until(lambda: filling.accepted == setup.sink.stored, "spans are lost")
        wait_until(lambda: disk_usage(sidecar.queue) < COMPACTION_TRIGGER_MIB * MIB)

        assert set() == filling.accepted - setup.sink.stored

    def test_full_queue_of_logs_refuses_no_spans(self, make: Any) -> None:
        """A full queue of log records refuses no spans."""
        setup = make(16_000, 4 * MIB)
        setup.filling.fill("/v1/logs")
        before = len(setup.filling.accepted)
        setup.filling.fill()

        assert len(setup.filling.accepted) > 2 * before * 0.9

    def test_full_file_is_no_larger_than_its_maximum(self, make: Any) -> None:
        """A file that is too small for its queue refuses data, and never exceeds its maximum."""
        setup = make(16_000, 256 * MIB, QUEUE_FILE_BYTES=40 * MIB)
        setup.filling.fill()

        assert disk_usage(setup.sidecar.queue) <= 40 * MIB
        assert "run out of available space" in setup.sidecar.log()
        assert len(setup.filling.refused) == setup.sidecar.total("exporter_enqueue_failed_spans")
        assert setup.sidecar.is_ready()
