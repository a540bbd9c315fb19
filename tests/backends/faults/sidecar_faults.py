"""Faults of a sidecar: its process, disk and memory."""

from __future__ import annotations

import shlex

import pytest

from otel_meta.errors import UsageError
from tests.backends.collector_server import Collector, Config
from tests.backends.faults.fault_case import (
    FaultSetup,
    collector_with_mounts,
    control,
    fault,
    result_of,
    wait_for_delivery,
    wait_for_more_spans,
)
from tests.backends.loss_accounting import FaultResult
from tests.backends.numbered_spans import SpanSender
from tests.waiting import wait_until

# A common configuration, which acknowledges spans that are in memory only.
IN_MEMORY: Config = {
    "processors": {"batch": {"timeout": "1s"}},
    "exporters": {"load_balancing": {"sending_queue": {"storage": None}}},
    "service": {"pipelines": {"traces": {"processors": ["memory_limiter", "batch"]}}},
}
NO_RETRIES: Config = {"exporters": {"load_balancing": {"retry_on_failure": {"enabled": False}}}}
_ACCEPTED = "receiver_accepted_spans"
_NOT_QUEUED = "exporter_enqueue_failed_spans"
_OVER_LIMIT = "processor_memory_limiter_refused_spans"


@fault("sidecar killed three times (kill -9) under load")
def killed(setup: FaultSetup) -> FaultResult:
    """Accepted spans are in the queue file, and the SDK sends the others again."""
    result = _killed(setup, None, "the SDK's retries bridge the restarts")
    assert 0 == result.dropped
    return result


@control("the same with a batch processor and a queue in memory")
def killed_in_memory(setup: FaultSetup) -> FaultResult:
    """Acknowledged spans are lost."""
    return _killed(setup, IN_MEMORY, "acknowledged spans are lost, and no metric counts them")


def _killed(setup: FaultSetup, change: Config | None, observation: str) -> FaultResult:
    sink = setup.sink()
    sidecar = setup.sidecar(sink, change)
    sender = SpanSender(sidecar.otlp)
    with sender.load():
        for _ in range(3):
            wait_for_more_spans(sink, 500)
            sidecar.kill()
            sidecar.start().wait_until_ready()
        wait_for_more_spans(sink, 500)
    wait_for_delivery(sender, sidecar, sink)
    return result_of(sender, sink, observation=observation)


@fault("sidecar terminated (SIGTERM) while the backend is down")
def terminated(setup: FaultSetup) -> FaultResult:
    """Spans that wait for a retry return to the queue file."""
    result = _terminated(setup, None, "all spans arrive after the restart")
    assert 0 == result.dropped
    return result


@control("the same without retries")
def terminated_without_retries(setup: FaultSetup) -> FaultResult:
    """Spans are lost after one failure, and so is their counter."""
    return _terminated(setup, NO_RETRIES, "spans that failed once are lost")


def _terminated(setup: FaultSetup, change: Config | None, observation: str) -> FaultResult:
    sink = setup.sink(up=False)
    sidecar = setup.sidecar(sink, change)
    sender = SpanSender(sidecar.otlp)
    sender.send(1000)
    wait_until(lambda: "Exporting failed" in sidecar.log(), "no export fails")
    assert 0 == sidecar.stop()
    sink.start()
    sidecar.start().wait_until_ready()
    wait_for_delivery(sender, sidecar, sink)
    return result_of(sender, sink, observation=observation)


@fault("full disk under the queue (a tmpfs of 2 MB) while the backend is down")
def disk_full(setup: FaultSetup) -> FaultResult:
    """New spans are refused and counted, queued spans are safe, and the sidecar recovers."""
    sink = setup.sink(up=False)
    queue = setup.folder / "small"
    queue.mkdir()
    mount = f"mount -t tmpfs -o size=2m tmpfs {shlex.quote(str(queue))}"
    sidecar = setup.sidecar(sink, program=collector_with_mounts(mount), QUEUE_DIR=queue)
    sender = SpanSender(sidecar.otlp, timeout=2)
    _send_until_refused(sender, sidecar, 200, _NOT_QUEUED)
    assert "no space left on device" in sidecar.log()
    sink.start()
    wait_for_delivery(sender, sidecar, sink)
    refused = sidecar.total(_NOT_QUEUED)
    sender.send(1000, batch=200)
    wait_for_delivery(sender, sidecar, sink)
    assert refused == sidecar.total(_NOT_QUEUED), "the sidecar still refuses spans"
    observation = "refused and counted on both sides; recovers without intervention"
    result = result_of(sender, sink, observation=observation)
    assert 0 < result.dropped <= refused
    return result


@fault("damaged queue file")
def queue_damaged(setup: FaultSetup) -> FaultResult:
    """The sidecar reports the damage and does not start until the file is moved away."""
    sink = setup.sink(up=False)
    sidecar = setup.sidecar(sink)
    sender = SpanSender(sidecar.otlp)
    sender.send(1000)
    sidecar.kill()
    (file,) = (path for path in sidecar.queue.iterdir() if "traces" in path.name)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(UsageError, match="did not start"):
        sidecar.start().wait_until_ready()
    file.rename(setup.folder / "set-aside")
    sink.start()
    sidecar.start().wait_until_ready()
    sender.send(200)
    wait_until(lambda: len(sink.stored) == 200)
    observation = "the sidecar starts again without the file; the spans in the file are lost"
    return result_of(sender, sink, dropped=1000, observation=observation)


@fault("memory limit of the sidecar reached")
def memory_limit(setup: FaultSetup) -> FaultResult:
    """New spans are refused and counted, and the sidecar keeps running."""
    sink = setup.sink(up=False)
    change: Config = {"processors": {"memory_limiter": {"check_interval": "100ms"}}}
    sidecar = setup.sidecar(sink, change, MEMORY_MIB=24, MEMORY_SPIKE_MIB=6)
    sender = SpanSender(sidecar.otlp, timeout=3)
    _send_until_refused(sender, sidecar, 2000, _OVER_LIMIT)
    sink.start()
    wait_for_delivery(sender, sidecar, sink)
    observation = "refused and counted on both sides; recovers without intervention"
    result = result_of(sender, sink, observation=observation)
    assert 0 < result.dropped <= sidecar.total(_OVER_LIMIT)
    return result


def _send_until_refused(sender: SpanSender, sidecar: Collector, batch: int, refused: str) -> None:
    """Send until the sidecar has refused spans, as many as the service has given up, for good.

    On a busy machine, the service also gives up batches whose response comes late, and the sidecar
    accepts batches that were refused before.
    """

    def enough() -> bool:
        sender.send(4 * batch, batch=batch)
        is_short = sidecar.total(_ACCEPTED) < len(sender.sent)
        return is_short and 0 < len(sender.given_up) <= sidecar.total(refused)

    wait_until(enough, "no span is refused")
