"""Where a fault is staged: what it needs is started with it, and ended after it."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from otel_meta.testing.loopback import free_port
from otel_meta.testing.pinned_tools import find
from otel_meta.testing.servers import COLLECTOR, Program
from tests.backends.ledger import Row
from tests.backends.otlp import Sender, Sink
from tests.backends.pipeline import Collector, Config, merged

PATIENCE = 60.0
"""Seconds until something that should happen is taken not to happen."""

_EMPTY_FOR_GOOD = 40
"""Looks at an empty queue; what has just been accepted may still be on its way into it."""

T = TypeVar("T")

QUICK_RETRIES: Config = {
    "exporters": {
        "load_balancing": {"retry_on_failure": {"initial_interval": "200ms", "max_interval": "1s"}}
    }
}
"""Only so that tests need not wait for half a minute; nothing that is proved depends on it."""


Run = Callable[["Stage"], Row]
Declare = Callable[[Run], Run]


@dataclass(frozen=True)
class Case:
    """A fault, and what became of what was sent through it."""

    name: str
    run: Run
    is_control: bool
    """Whether it leaves out what protects, and so has to lose something."""


CASES: list[Case] = []


def fault(name: str) -> Declare:
    """Declare a case that loses nothing without counting it."""
    return _declare(name, is_control=False)


def control(name: str) -> Declare:
    """Declare the same fault without what protects: the test has to see a loss."""
    return _declare(f"control: {name}", is_control=True)


def _declare(name: str, *, is_control: bool) -> Declare:
    def declare(run: Run) -> Run:
        CASES.append(Case(name, run, is_control))
        return run

    return declare


class Stage:
    """A folder, and what runs until the case is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._open = ExitStack()
        self._started = 0

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Keep something open until the end."""
        return self._open.enter_context(context)

    def sink(self, *, up: bool = True, **options: Any) -> Sink:
        """A backend of the sidecar's, up or not yet."""
        sink = Sink(options.pop("port", 0) or free_port(), **options)
        self._open.callback(sink.stop)
        return sink.start() if up else sink

    def sidecar(self, gateway: Sink, change: Config | None = None, **options: Any) -> Collector:
        """A sidecar before it."""
        change = merged(QUICK_RETRIES, change or {})
        return self.collector("sidecar.yaml", change, GATEWAY_PORT=gateway.port, **options)

    def collector(self, file: str, change: Config | None = None, **options: Any) -> Collector:
        """A Collector with one of the committed files."""
        self._started += 1
        folder = self.folder / f"collector-{self._started}"
        return self.enter(Collector(file, folder, change, **options)).wait_until_ready()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def until(holds: Callable[[], Any], what: str = "") -> None:
    """Return as soon as something holds, and fail if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what or "it never happened"
        time.sleep(0.05)


def grown(sink: Sink, by: int) -> None:
    """Return once a sink has so many more."""
    aim = len(sink.stored) + by
    until(lambda: len(sink.stored) >= aim, f"the sink has not got {by} more spans")


def settled(sender: Sender, sidecar: Collector, *sinks: Sink) -> None:
    """Return once all that was accepted has arrived, or else nothing is left to arrive."""
    empty = 0

    def done() -> bool:
        nonlocal empty
        empty = 0 if sidecar.total("exporter_queue_size") else empty + 1
        return sender.accepted <= arrived(*sinks) or empty > _EMPTY_FOR_GOOD

    until(done, "the queue does not drain")


def arrived(*sinks: Sink) -> set[int]:
    """The numbers that are in one of the sinks."""
    return set[int]().union(*(sink.stored for sink in sinks))


def account(
    sender: Sender, *sinks: Sink, dropped: int = 0, seen: str, refused: set[int] | None = None
) -> Row:
    """The row of a case: what the sender gave up is counted by the service, the rest by others."""
    stored = arrived(*sinks)
    given_up = (sender.given_up if refused is None else refused) - stored
    return Row(
        sent=len(sender.sent),
        stored=len(stored),
        dropped=len(given_up) + dropped,
        doubled=sum(sink.doubled for sink in sinks),
        seen=seen,
    )


def in_own_mounts(*commands: str) -> Program:
    """The Collector, after commands in a mount namespace of its own, which ends with it.

    Root is not needed where the kernel gives users namespaces of their own.
    """
    collector = shlex.join([str(find(COLLECTOR.binary)), "--config={config}"])
    script = " && ".join([*commands, f'exec {collector} "$@"'])
    arguments = ("-m" if os.geteuid() == 0 else "-rm", "sh", "-euc", script, "sh")
    return Program(binary="unshare", arguments=arguments, ready=COLLECTOR.ready)
