"""What may happen to a sidecar."""

from __future__ import annotations

import shlex

import pytest

from otel_meta.errors import UsageError
from tests.backends.faults.stage import (
    Stage,
    account,
    control,
    fault,
    grown,
    in_own_mounts,
    settled,
    until,
)
from tests.backends.ledger import Row
from tests.backends.otlp import Sender
from tests.backends.pipeline import Config

# What is often copied together: acknowledges what only memory holds.
IN_MEMORY: Config = {
    "processors": {"batch": {"timeout": "1s"}},
    "exporters": {"load_balancing": {"sending_queue": {"storage": None}}},
    "service": {"pipelines": {"traces": {"processors": ["memory_limiter", "batch"]}}},
}
NO_RETRIES: Config = {"exporters": {"load_balancing": {"retry_on_failure": {"enabled": False}}}}


@fault("sidecar killed three times (kill -9) under load")
def killed(stage: Stage) -> Row:
    """The queue's file has what was accepted, and the SDK sends again what was not."""
    row = _killed(stage, None, "the SDK's retries bridge the restart")
    assert 0 == row.dropped
    return row


@control("the same with batch processor and queue in memory")
def killed_in_memory(stage: Stage) -> Row:
    """What was acknowledged is gone."""
    return _killed(stage, IN_MEMORY, "what was acknowledged is gone, and nothing counts it")


def _killed(stage: Stage, change: Config | None, seen: str) -> Row:
    sink = stage.sink()
    sidecar = stage.sidecar(sink, change)
    sender = Sender(sidecar.otlp)
    with sender.load():
        for _ in range(3):
            grown(sink, 500)
            sidecar.kill()
            sidecar.start().wait_until_ready()
        grown(sink, 500)
    settled(sender, sidecar, sink)
    return account(sender, sink, seen=seen)


@fault("sidecar told to end (SIGTERM) while the backend is down")
def ended(stage: Stage) -> Row:
    """What waits for a retry goes back into the queue's file."""
    row = _ended(stage, None, "everything arrives after the restart")
    assert 0 == row.dropped
    return row


@control("the same without retries")
def ended_without_retries(stage: Stage) -> Row:
    """What fails once is gone, and the counter with it."""
    return _ended(stage, NO_RETRIES, "what failed once is gone")


def _ended(stage: Stage, change: Config | None, seen: str) -> Row:
    sink = stage.sink(up=False)
    sidecar = stage.sidecar(sink, change)
    sender = Sender(sidecar.otlp)
    sender.send(1000)
    until(lambda: "Exporting failed" in sidecar.log())
    assert 0 == sidecar.stop()
    sink.start()
    sidecar.start().wait_until_ready()
    settled(sender, sidecar, sink)
    return account(sender, sink, seen=seen)


@fault("queue on a full disk (a tmpfs of 2 MB) while the backend is down")
def disk_full(stage: Stage) -> Row:
    """New spans are refused and counted, what is queued is kept, and it recovers by itself."""
    sink = stage.sink(up=False)
    queue = stage.folder / "small"
    queue.mkdir()
    mount = f"mount -t tmpfs -o size=2m tmpfs {shlex.quote(str(queue))}"
    sidecar = stage.sidecar(sink, program=in_own_mounts(mount), QUEUE_DIR=queue)
    sender = Sender(sidecar.otlp, timeout=2)
    _send_until_refused(sender, batch=200)
    assert sidecar.total("exporter_enqueue_failed_spans") >= len(sender.given_up)
    assert "no space left on device" in sidecar.log()
    sink.start()
    settled(sender, sidecar, sink)
    refused = len(sender.given_up)
    sender.send(1000, batch=200)
    settled(sender, sidecar, sink)
    assert refused == len(sender.given_up), "it goes on refusing"
    row = account(sender, sink, seen="refused and counted by both sides; recovers by itself")
    assert row.dropped > 0
    return row


@fault("damaged queue file")
def queue_damaged(stage: Stage) -> Row:
    """The sidecar says so and does not start; without the file it does."""
    sink = stage.sink(up=False)
    sidecar = stage.sidecar(sink)
    sender = Sender(sidecar.otlp)
    sender.send(1000)
    sidecar.kill()
    (file,) = (path for path in sidecar.queue.iterdir() if "traces" in path.name)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="did not start"):
        sidecar.start().wait_until_ready()
    file.rename(stage.folder / "set-aside")
    sink.start()
    sidecar.start().wait_until_ready()
    sender.send(200)
    until(lambda: len(sink.stored) == 200)
    seen = "refuses to start until the file is moved away; what was in it is lost"
    return account(sender, sink, dropped=1000, seen=seen)


@fault("memory limit of the sidecar reached")
def memory_limit(stage: Stage) -> Row:
    """New spans are refused and counted, and the sidecar lives."""
    sink = stage.sink(up=False)
    change: Config = {"processors": {"memory_limiter": {"check_interval": "100ms"}}}
    sidecar = stage.sidecar(sink, change, MEMORY_MIB=24, MEMORY_SPIKE_MIB=6)
    sender = Sender(sidecar.otlp, timeout=3)
    _send_until_refused(sender, batch=2000)
    assert sidecar.total("processor_memory_limiter_refused_spans") >= len(sender.given_up)
    sink.start()
    settled(sender, sidecar, sink)
    row = account(sender, sink, seen="refused and counted by both sides; recovers by itself")
    assert row.dropped > 0
    return row


def _send_until_refused(sender: Sender, batch: int) -> None:
    def refused() -> bool:
        sender.send(4 * batch, batch=batch)
        return bool(sender.given_up)

    until(refused, "nothing is refused")
