"""Declaration of fault cases, and the servers, waits and accounting that the cases share."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from otel_meta.testing.loopback import free_port
from otel_meta.testing.pinned_tools import find
from otel_meta.testing.servers import COLLECTOR, Program
from tests.backends.collector_server import Collector, Config, merge_configs
from tests.backends.loss_accounting import FaultResult
from tests.backends.numbered_spans import SpanSender, SpanSink
from tests.waiting import wait_until

_EMPTY_POLLS = 40
"""Consecutive polls of an empty queue; accepted spans may still be on the way into the queue."""

T = TypeVar("T")

FAST_RETRIES: Config = {
    "exporters": {
        "load_balancing": {"retry_on_failure": {"initial_interval": "200ms", "max_interval": "1s"}}
    }
}
"""Retries after a second at most instead of half a minute, which the results do not depend on."""


Run = Callable[["FaultSetup"], FaultResult]
Declare = Callable[[Run], Run]


@dataclass(frozen=True)
class FaultCase:
    """A fault, or a control without the protection from a fault."""

    name: str
    run: Run
    is_control: bool


CASES: list[FaultCase] = []


def fault(name: str) -> Declare:
    """Declare a fault in which each lost span is counted."""
    return _declare(name, is_control=False)


def control(name: str) -> Declare:
    """Declare the preceding fault without the protection, so that spans are lost."""
    return _declare(f"control: {name}", is_control=True)


def _declare(name: str, *, is_control: bool) -> Declare:
    def declare(run: Run) -> Run:
        CASES.append(FaultCase(name, run, is_control))
        return run

    return declare


class FaultSetup:
    """The folder and the servers of one case; the end of the context stops all servers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._contexts = ExitStack()
        self._collectors = 0

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Enter a context until the end of the case."""
        return self._contexts.enter_context(context)

    def sink(self, *, up: bool = True, port: int = 0, host: str = "127.0.0.1") -> SpanSink:
        """Return a backend, which listens already if it is up."""
        sink = SpanSink(port or free_port(), host)
        self._contexts.callback(sink.stop)
        return sink.start() if up else sink

    def sidecar(self, gateway: SpanSink, change: Config | None = None, **options: Any) -> Collector:
        """Start a sidecar that sends to a gateway."""
        config = merge_configs(FAST_RETRIES, change or {})
        return self.collector("sidecar.yaml", config, GATEWAY_PORT=gateway.port, **options)

    def collector(self, file: str, change: Config | None = None, **options: Any) -> Collector:
        """Start a Collector with a committed configuration, and wait until it is ready."""
        self._collectors += 1
        folder = self.folder / f"collector-{self._collectors}"
        return self.enter(Collector(file, folder, change, **options)).wait_until_ready()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._contexts.close()


def wait_for_more_spans(sink: SpanSink, count: int) -> None:
    """Return as soon as a sink has stored a number of further spans."""
    goal = len(sink.stored) + count
    wait_until(lambda: len(sink.stored) >= goal, f"the sink lacks {count} further spans")


def wait_for_delivery(sender: SpanSender, sidecar: Collector, *sinks: SpanSink) -> None:
    """Return as soon as all accepted spans are stored, or none is left in the sidecar's queue."""
    empty_polls = 0

    def delivered() -> bool:
        nonlocal empty_polls
        empty_polls = 0 if sidecar.total("exporter_queue_size") else empty_polls + 1
        return sender.accepted <= stored_in(*sinks) or empty_polls > _EMPTY_POLLS

    wait_until(delivered, "the queue does not drain")


def stored_in(*sinks: SpanSink) -> set[int]:
    """Return the numbers of the spans in any of the sinks."""
    return set[int]().union(*(sink.stored for sink in sinks))


def result_of(
    sender: SpanSender, *sinks: SpanSink, dropped: int = 0, observation: str
) -> FaultResult:
    """Return the result of a case.

    Args:
        sender: the service, with a count of failed spans in its exporter.
        sinks: all backends.
        dropped: the number of lost spans in the metrics of the Collectors.
        observation: a remark for the table.
    """
    stored = stored_in(*sinks)
    return FaultResult(
        sent=len(sender.sent),
        stored=len(stored),
        dropped=len(sender.given_up - stored) + dropped,
        duplicates=sum(sink.duplicates for sink in sinks),
        observation=observation,
        reasons=frozenset(sender.reasons),
    )


def collector_with_mounts(*commands: str) -> Program:
    """Return the Collector as a program that first runs mount commands in a private namespace.

    The mounts end with the process. Root is not needed if the kernel has user namespaces.
    """
    collector = shlex.join([str(find(COLLECTOR.binary)), "--config={config}"])
    script = " && ".join([*commands, f'exec {collector} "$@"'])
    arguments = ("-m" if os.geteuid() == 0 else "-rm", "sh", "-euc", script, "sh")
    return Program(binary="unshare", arguments=arguments, ready=COLLECTOR.ready)
