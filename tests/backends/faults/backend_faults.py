"""Faults of the backends behind a sidecar: gateways, Jaeger, or another trace store."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path

import grpc

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
from tests.backends.numbered_spans import OK, SpanSender, SpanSink
from tests.waiting import wait_until

RETRY_LIMIT: Config = {
    "exporters": {"load_balancing": {"retry_on_failure": {"max_elapsed_time": "2s"}}}
}
"""The Collector's default of 300 s, shortened."""
SHORT_TIMEOUT: Config = {"exporters": {"load_balancing": {"protocol": {"otlp": {"timeout": "1s"}}}}}
OUTAGE = 5.0
"""Seconds of an outage that is longer than the retry limit."""
UNDECIDED = "10s"
"""Time without a decision, in which a busy machine counts the traces and kills the gateway."""
_FAILED = "exporter_send_failed_spans"


@fault("backend down for longer than the retry limit of the control")
def outage(setup: FaultSetup) -> FaultResult:
    """The sidecar retries without a limit, so all spans arrive after the outage."""
    result = _outage(setup, None, "the queue grows during the outage and drains afterwards")
    assert 0 == result.dropped
    return result


@control("the same with a retry limit, as in the Collector's defaults")
def outage_with_retry_limit(setup: FaultSetup) -> FaultResult:
    """Spans that wait for longer are dropped and counted."""
    observation = "spans that waited for longer are dropped, and counted in send_failed"
    return _outage(setup, RETRY_LIMIT, observation)


def _outage(setup: FaultSetup, change: Config | None, observation: str) -> FaultResult:
    sink = setup.sink(up=False)
    sidecar = setup.sidecar(sink, change)
    sender = SpanSender(sidecar.otlp)
    with sender.load(pause=0.05):
        time.sleep(OUTAGE)
        wait_until(lambda: sidecar.total("exporter_queue_size") > 0, "the queue does not grow")
        wait_until(lambda: change is None or sidecar.total(_FAILED) > 0, "nothing is given up")
        sink.start()
        wait_for_more_spans(sink, 100)
    wait_for_delivery(sender, sidecar, sink)
    return result_of(sender, sink, dropped=sidecar.total(_FAILED), observation=observation)


@fault("slow backend: the response comes after the sidecar's timeout")
def slow(setup: FaultSetup) -> FaultResult:
    """Stored spans are sent again, so spans are duplicated and not lost."""
    sink = setup.sink()
    sink.delay = 2.0
    sidecar = setup.sidecar(sink, SHORT_TIMEOUT)
    sender = SpanSender(sidecar.otlp)
    with sender.load(pause=0.05):
        wait_until(lambda: sink.duplicates > 0)
        sink.delay = 0.0
        wait_for_more_spans(sink, 100)
    wait_for_delivery(sender, sidecar, sink)
    observation = "spans that are stored but not acknowledged are sent again"
    result = result_of(sender, sink, observation=observation)
    assert 0 == result.dropped
    return result


@fault("backend refuses every second request with 503 (UNAVAILABLE)")
def unavailable(setup: FaultSetup) -> FaultResult:
    """The sidecar retries until the backend accepts the spans."""
    result = _refusing(setup, grpc.StatusCode.UNAVAILABLE, "retried until accepted")
    assert 0 == result.dropped
    return result


@fault("backend refuses every second request with 429 (RESOURCE_EXHAUSTED) and a retry delay")
def exhausted_with_retry_delay(setup: FaultSetup) -> FaultResult:
    """The sidecar retries after the delay."""
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    result = _refusing(setup, code, "retried after the delay", retry_after=300)
    assert 0 == result.dropped
    return result


@fault("backend refuses every second request with 429 (RESOURCE_EXHAUSTED), without a retry delay")
def exhausted(setup: FaultSetup) -> FaultResult:
    """The error is permanent in OTLP: the spans are dropped and counted."""
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    observation = "a permanent error in OTLP: dropped, and counted in send_failed"
    result = _refusing(setup, code, observation)
    assert result.dropped > 0
    return result


@fault("backend refuses every second request with 400 (INVALID_ARGUMENT)")
def invalid(setup: FaultSetup) -> FaultResult:
    """The error is permanent: the spans are dropped and counted, and later spans do not wait."""
    code = grpc.StatusCode.INVALID_ARGUMENT
    result = _refusing(setup, code, "a permanent error: dropped, and counted in send_failed")
    assert result.dropped > 0
    return result


def _refusing(
    setup: FaultSetup, code: grpc.StatusCode, observation: str, *, retry_after: int = 0
) -> FaultResult:
    sink = setup.sink()
    requests = count()
    sink.next_status = lambda: code if next(requests) % 2 else OK
    sink.retry_after = retry_after
    sidecar = setup.sidecar(sink)
    sender = SpanSender(sidecar.otlp)
    with sender.load(pause=0.05):
        wait_until(lambda: next(requests) > 8)
        wait_for_more_spans(sink, 200)
    wait_for_delivery(sender, sidecar, sink)
    wait_until(
        lambda: len(sink.refused - sink.stored) == sidecar.total(_FAILED),
        "the metric differs from the number of refused spans",
    )
    return result_of(sender, sink, dropped=sidecar.total(_FAILED), observation=observation)


@fault("one of two gateways killed")
def gateway_killed(setup: FaultSetup) -> FaultResult:
    """The other gateway receives all spans as soon as DNS has lost the address of the first."""
    remaining = setup.sink(host="127.0.0.2")
    killed = setup.sink(host="127.0.0.3", port=remaining.port)
    hosts = setup.folder / "hosts"
    hosts.write_text("127.0.0.2 gateways.test\n127.0.0.3 gateways.test\n")
    sidecar = _balancing_sidecar(setup, remaining, hosts)
    sender = SpanSender(sidecar.otlp)
    with sender.load(pause=0.05):
        wait_until(lambda: remaining.stored and killed.stored, "a gateway receives no spans")
        killed.stop()
        hosts.write_text("127.0.0.2 gateways.test\n")
        wait_for_delivery(sender, sidecar, remaining, killed)
        wait_for_more_spans(remaining, 500)
    wait_for_delivery(sender, sidecar, remaining, killed)
    observation = (
        "the other gateway takes over; batches with spans for the killed gateway are sent again"
    )
    result = result_of(sender, remaining, killed, observation=observation)
    assert 0 == result.dropped
    return result


def _balancing_sidecar(setup: FaultSetup, gateway: SpanSink, hosts: Path) -> Collector:
    """Start a sidecar that finds gateways by DNS as in Kubernetes, from a hosts file."""
    program = collector_with_mounts(f"mount --bind {hosts} /etc/hosts")
    change: Config = {
        "exporters": {"load_balancing": {"resolver": {"dns": {"interval": "1s"}}}},
    }
    return setup.sidecar(gateway, change, program=program, GATEWAY_HOST="gateways.test")


@fault("gateway killed before its decision on some traces")
def gateway_killed_undecided(setup: FaultSetup) -> FaultResult:
    """Undecided traces are lost, as tail sampling decides in memory; a metric has the number."""
    store = setup.sink()
    gateway = setup.collector(
        "gateway.yaml",
        TRACE_STORE=f"127.0.0.1:{store.port}",
        DECISION_WAIT=UNDECIDED,
        SAMPLING_PERCENT=100,
    )
    sidecar = setup.sidecar(SpanSink(gateway.ports["GATEWAY"]))
    sender = SpanSender(sidecar.otlp)
    sender.send(500)
    wait_until(lambda: len(store.stored) == 500)
    sender.send(200)
    undecided = "processor_tail_sampling_sampling_traces_on_memory"
    wait_until(lambda: gateway.total(undecided) == 200)
    gateway.kill()
    gateway.start().wait_until_ready()
    sender.send(300)
    wait_until(lambda: len(store.stored) == 800)
    observation = "the last sampling_traces_on_memory is the loss; decided traces are on disk"
    return result_of(sender, store, dropped=200, observation=observation)
