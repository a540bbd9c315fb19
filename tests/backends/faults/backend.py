"""What may happen to what is behind a sidecar: gateways, Jaeger, or another store."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path

import grpc

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
from tests.backends.otlp import OK, Sender, Sink
from tests.backends.pipeline import Collector, Config

GIVE_UP: Config = {
    "exporters": {"load_balancing": {"retry_on_failure": {"max_elapsed_time": "2s"}}}
}
"""The Collector's default of 300 s, made short enough to be waited out."""
SHORT_TIMEOUT: Config = {"exporters": {"load_balancing": {"protocol": {"otlp": {"timeout": "1s"}}}}}
OUTAGE = 5.0  # seconds


@fault("backend down for longer than the give-up time")
def outage(stage: Stage) -> Row:
    """The sidecar never gives up, so that everything arrives once the backend is back."""
    row = _outage(stage, None, "the queue grows, and drains afterwards")
    assert 0 == row.dropped
    return row


@control("the same with a give-up time, as the Collector has by default")
def outage_given_up(stage: Stage) -> Row:
    """What waited for longer is dropped; that much is counted."""
    return _outage(stage, GIVE_UP, "what waited for longer is dropped, and counted as send_failed")


def _outage(stage: Stage, change: Config | None, seen: str) -> Row:
    sink = stage.sink(up=False)
    sidecar = stage.sidecar(sink, change)
    sender = Sender(sidecar.otlp)
    with sender.load(pause=0.05):
        time.sleep(OUTAGE)
        assert sidecar.total("exporter_queue_size") > 0
        sink.start()
        grown(sink, 100)
    settled(sender, sidecar, sink)
    return account(sender, sink, dropped=sidecar.total("exporter_send_failed_spans"), seen=seen)


@fault("slow backend: it answers after the timeout")
def slow(stage: Stage) -> Row:
    """What it has stored already is sent again: doubled, not lost."""
    sink = stage.sink()
    sink.delay = 2.0
    sidecar = stage.sidecar(sink, SHORT_TIMEOUT)
    sender = Sender(sidecar.otlp)
    with sender.load(pause=0.05):
        until(lambda: sink.doubled > 0)
        sink.delay = 0.0
        grown(sink, 100)
    settled(sender, sidecar, sink)
    row = account(sender, sink, seen="what was stored but not acknowledged comes again")
    assert 0 == row.dropped
    return row


@fault("backend answers 503 (UNAVAILABLE) every other time")
def unavailable(stage: Stage) -> Row:
    """Sent again until it is taken."""
    row = _refusing(stage, grpc.StatusCode.UNAVAILABLE, "sent again until it is taken")
    assert 0 == row.dropped
    return row


@fault("backend answers 429 (RESOURCE_EXHAUSTED), and says when to come back")
def exhausted_for_a_while(stage: Stage) -> Row:
    """Sent again after that."""
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    row = _refusing(stage, code, "sent again after that", retry_after=300)
    assert 0 == row.dropped
    return row


@fault("backend answers 429 (RESOURCE_EXHAUSTED) and no more")
def exhausted(stage: Stage) -> Row:
    """Final by OTLP's rules: dropped and counted."""
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    row = _refusing(stage, code, "final by OTLP's rules: dropped, and counted as send_failed")
    assert row.dropped > 0
    return row


@fault("backend answers 400 (INVALID_ARGUMENT) every other time")
def invalid(stage: Stage) -> Row:
    """Final: dropped and counted, and what comes after it is not held up."""
    code = grpc.StatusCode.INVALID_ARGUMENT
    row = _refusing(stage, code, "final: dropped, and counted as send_failed")
    assert row.dropped > 0
    return row


def _refusing(stage: Stage, code: grpc.StatusCode, seen: str, *, retry_after: int = 0) -> Row:
    sink = stage.sink()
    turn = count()
    sink.answer = lambda: code if next(turn) % 2 else OK
    sink.retry_after = retry_after
    sidecar = stage.sidecar(sink)
    sender = Sender(sidecar.otlp)
    with sender.load(pause=0.05):
        until(lambda: next(turn) > 8)
        grown(sink, 200)
    settled(sender, sidecar, sink)
    dropped = sidecar.total("exporter_send_failed_spans")
    assert dropped == len(sink.refused - sink.stored)
    return account(sender, sink, dropped=dropped, seen=seen)


@fault("one gateway of two killed")
def gateway_killed(stage: Stage) -> Row:
    """Once its name no longer stands for it, the other gets everything."""
    one = stage.sink(host="127.0.0.2")
    other = stage.sink(host="127.0.0.3", port=one.port)
    names = stage.folder / "hosts"
    names.write_text("127.0.0.2 gateways.test\n127.0.0.3 gateways.test\n")
    sidecar = _balancing(stage, one, names)
    sender = Sender(sidecar.otlp)
    with sender.load(pause=0.05):
        until(lambda: one.stored and other.stored, "only one of them gets any")
        other.stop()
        names.write_text("127.0.0.2 gateways.test\n")
        settled(sender, sidecar, one, other)
        grown(one, 500)
    settled(sender, sidecar, one, other)
    row = account(
        sender, one, other, seen="its part goes to the other; batches that held some come twice"
    )
    assert 0 == row.dropped
    return row


def _balancing(stage: Stage, gateway: Sink, names: Path) -> Collector:
    """A sidecar that finds gateways by DNS, as in Kubernetes, in a file instead of a server."""
    mount = f"mount --bind {names} /etc/hosts"
    change: Config = {
        "exporters": {"load_balancing": {"resolver": {"dns": {"interval": "1s"}}}},
    }
    return stage.sidecar(
        gateway, change, program=in_own_mounts(mount), GATEWAY_HOST="gateways.test"
    )


@fault("gateway killed with traces that it has not decided on")
def gateway_killed_undecided(stage: Stage) -> Row:
    """Those are lost: tail sampling waits in memory. Its own metrics say how many they are."""
    store = stage.sink()
    gateway = stage.collector(
        "gateway.yaml",
        TRACE_STORE=f"127.0.0.1:{store.port}",
        DECISION_WAIT="2s",
        SAMPLING_PERCENT=100,
    )
    before = Sink(gateway.ports["GATEWAY"])  # the gateway, as sidecars see it
    sidecar = stage.sidecar(before)
    sender = Sender(sidecar.otlp)
    sender.send(500)
    until(lambda: len(store.stored) == 500)
    sender.send(200)
    waiting = "processor_tail_sampling_sampling_traces_on_memory"
    until(lambda: gateway.total(waiting) == 200)
    gateway.kill()
    gateway.start().wait_until_ready()
    sender.send(300)
    until(lambda: len(store.stored) == 800)
    seen = "the last sampling_traces_on_memory is what is lost; what was decided is on disk"
    return account(sender, store, dropped=200, seen=seen)
