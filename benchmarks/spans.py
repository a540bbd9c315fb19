"""Compare the process CPU of a span with its queue and its export over HTTP. ``make bench``.

    python benchmarks/spans.py

All contenders run in turn in this process, and send to a receiver in another process. A round ends
with a flush, so the time of the exporters' threads counts. The processor of fastotel is measured if
it is installed; otel_meta does not need it.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from otel_meta import configure

sys.path.insert(0, str(Path(__file__).resolve().parent))

from web.receiver import receiver

SPANS: Final = 10_000
ROUNDS: Final = 9
RESOURCE: Final = Resource({"service.name": "spans", "service.namespace": "benchmark"})

SDK: Final = "the SDK's processor and exporter"
OURS: Final = "otel_meta"
FEW: Final = "otel_meta, 1% sampled"
FASTOTEL: Final = "the SDK with fastotel's processor"

BUDGETS: Final[Mapping[str, float]] = {OURS: 25.0, FEW: 3.0}
"""Microseconds of a span."""
_VARIABLES: Final[Mapping[str, str]] = {
    "OTEL_BSP_MAX_QUEUE_SIZE": str(4 * SPANS),  # so that no contender drops a span
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}


class Contender(NamedTuple):
    """A tracer, and the call that sends what waits."""

    tracer: Tracer
    flush: Callable[[], object]


def _of_sdk(processor: Any) -> Contender:
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return Contender(provider.get_tracer("benchmark", "1"), provider.force_flush)


def _sdk(endpoint: str) -> Contender:
    return _of_sdk(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))


def _fastotel(endpoint: str) -> Contender:
    return _of_sdk(import_module("fastotel").OTLPSpanProcessor(endpoint=f"{endpoint}/v1/traces"))


def _otel_meta(endpoint: str, **sampler: str) -> Contender:
    telemetry = configure(
        "spans",
        otlp_endpoint=endpoint,
        set_global=False,
        log_stream=None,
        environ={**_VARIABLES, **sampler},
    )
    if telemetry.traces is None:
        raise AssertionError("traces are off")
    return Contender(telemetry.traces.provider.get_tracer("benchmark", "1"), telemetry.flush)


def _few(endpoint: str) -> Contender:
    return _otel_meta(
        endpoint, OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0.01"
    )


def contenders() -> Mapping[str, Callable[[str], Contender]]:
    """Return the contenders by name; each is set up with the endpoint of a receiver."""
    found = {SDK: _sdk, OURS: _otel_meta, FEW: _few}
    return {**found, FASTOTEL: _fastotel} if find_spec("fastotel") else found


def work(contender: Contender) -> None:
    """End spans of five attributes, of which two are others in each span, and send them."""
    start = contender.tracer.start_span
    for number in range(SPANS):
        span = start(
            "place order",
            attributes={
                "http.route": "/orders/{number}",
                "tenant": "acme",
                "order.number": number,
                "order.total": number * 0.5,
                "order.is_paid": True,
            },
        )
        span.end()
    contender.flush()


def measure(endpoint: str) -> dict[str, float]:
    """Return the microseconds of process CPU of a span for each contender."""
    ready = {name: create(endpoint) for name, create in contenders().items()}
    best = dict.fromkeys(ready, float("inf"))
    for _ in range(ROUNDS):
        for name, contender in ready.items():
            began = time.process_time()
            work(contender)
            best[name] = min(best[name], (time.process_time() - began) / SPANS * 1e6)
    return best


def _receive(end: Connection) -> None:
    with receiver() as server:
        end.send(server.endpoint("spans"))
        end.recv()


def _row(name: str, costs: Mapping[str, float]) -> str:
    budget = BUDGETS.get(name)
    judged = ""
    if budget is not None:
        judged = f"{'within' if costs[name] <= budget else 'OVER'} {budget:.3g} µs"
    return f"| {name} | {costs[name]:.1f} µs | {costs[name] / costs[SDK]:.2f} | {judged} |"


def main() -> None:
    """Measure and print the table."""
    os.environ.update(_VARIABLES)
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_receive, args=(there,), daemon=True)
    process.start()
    with ExitStack() as ending:
        ending.callback(process.join)
        ending.callback(here.send, None)
        costs = measure(here.recv())
    print(
        f"Python {platform.python_version()} on {platform.machine()}; "
        f"opentelemetry-sdk {version('opentelemetry-sdk')}\n"
    )
    print("| a span of five attributes | process CPU | to the SDK | budget |\n|---|---|---|---|")
    print("\n".join(_row(name, costs) for name in costs), flush=True)


if __name__ == "__main__":
    main()
