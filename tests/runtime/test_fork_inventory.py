"""The state that a forked child inherits from a process with all of telemetry."""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import pytest
import structlog

from otel_meta import Telemetry, configure
from otel_meta.repos import Aurora
from otel_meta.testing import http_receiver
from otel_meta.testing.otlp_receiver import OtlpReceiver
from tests.runtime.fork_inventory import LOCKS, Found, inventory, roots_of_package
from tests.runtime.forks import in_child

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.usefixtures("untraced"),
]

SAFE: Final = {
    "LineWriter.stream": "standard output, shared on purpose, and written below its buffer",
    "Reachability._said": "memory that parent and children share on purpose",
}
"""Objects of one process that a child may inherit, with the reason."""

FOREIGN: Final = {"Destination._api", "otel_meta.runtime.lifecycle.span_processors._attached"}
"""What holds providers of other libraries, which care for their own locks."""

UNUSED: Final = {
    "OtlpSession._inherited": "connections of the parent, kept only to stay open",
    "OtlpSession.adapters": "of the base class, whose connections are not used",
    "OtlpSession.cookies": "likewise",
    "PushReader._shutdown_event": "of the base class, whose thread is not started",
    "_OTLPHTTPClient._shutdown_event": "for the SDK's retries, which do not happen",
}
"""What holds objects that a child does not use before its shutdown, with the reason."""


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Telemetry]:
    """Return telemetry with every signal, every exporter, a port, workers, logs and SLOs."""
    monkeypatch.setattr(http_receiver._Handler, "protocol_version", "HTTP/1.1")  # keeps connections
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with OtlpReceiver() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_EXPORTER_PROMETHEUS_PORT": "0",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_META_MULTIPROCESS_DIR": str(tmp_path),
            "OTEL_METRICS_EXPORTER": "otlp,prometheus",
            "OTEL_TRACES_EXPORTER": "otlp",
        }
        telemetry = configure("shop", Aurora, environ=variables, set_global=False)
        telemetry.bind(Aurora)
        use(telemetry)
        telemetry.flush()
        yield telemetry
        telemetry.shutdown()
    root.handlers[:], root.level = handlers, level


def use(telemetry: Telemetry) -> None:
    """Record, measure as a library does, trace, log, sample and scrape."""
    assert telemetry.metrics
    assert telemetry.traces
    assert telemetry.scrape
    meter = telemetry.metrics.provider.get_meter("library")
    meter.create_counter("calls").add(1)
    meter.create_histogram("duration").record(1)
    registrations = telemetry.storage.recorder(Aurora.registrations)
    with telemetry.traces.provider.get_tracer("test").start_as_current_span("request"):
        registrations.add(1, channel="web")
        structlog.get_logger("shop").warning("registered")  # past pytest's handler with a buffer
    telemetry.tracker.sample()
    telemetry.tracker.statuses()
    telemetry.scrape.render()


def roots(telemetry: Telemetry) -> Iterable[tuple[str, object]]:
    """Return what the walk begins with."""
    yield "telemetry", telemetry
    yield from roots_of_package()
    yield from (("root", handler) for handler in logging.getLogger().handlers)


def inherited(telemetry: Telemetry, before: set[int]) -> set[str]:
    """Return the paths of the objects in a child that are still those of the parent."""
    found = inventory(roots(telemetry), {*FOREIGN, *UNUSED})
    return {each.path for each in found if is_inherited(each, before)}


def is_inherited(found: Found, before: set[int]) -> bool:
    """Return True if an object in a child is unusable, or shared with the parent."""
    value: Any = found.value
    if isinstance(value, LOCKS):
        return not value.acquire(blocking=False)
    if isinstance(value, Thread):
        return not value.is_alive()
    if id(value) not in before:
        return False
    if isinstance(value, socket.socket):
        return value.fileno() >= 0
    return not (isinstance(value, io.IOBase) and value.closed)


@contextmanager
def all_locks_held(found: list[Found]) -> Generator[None]:
    """Let another thread hold all locks inside the block."""
    locks = [each.value for each in found if isinstance(each.value, LOCKS)]
    held, done = Event(), Event()

    def hold() -> None:
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            held.set()
            done.wait()

    holder = Thread(target=hold, daemon=True)
    holder.start()
    assert held.wait(20)
    try:
        yield
    finally:
        done.set()
        holder.join()


class TestInventory:
    def test_child_inherits_nothing_but_what_is_known_to_be_safe(
        self, telemetry: Telemetry
    ) -> None:
        """A child has its own locks, threads, sockets and files, except those known to be safe."""
        found = inventory(roots(telemetry), FOREIGN)
        before = {id(each.value) for each in found}
        with all_locks_held(found):
            paths = in_child(lambda: inherited(telemetry, before))

        assert set() == paths - set(SAFE)

    def test_child_waits_for_no_lock_that_threads_of_parent_hold(
        self, telemetry: Telemetry
    ) -> None:
        """A child can use all of telemetry although threads of the parent hold every lock."""

        def work() -> list[bool]:
            use(telemetry)
            return [telemetry.flush(), telemetry.shutdown()]

        with all_locks_held(inventory(roots(telemetry), {*FOREIGN, *UNUSED})):
            assert [True, True] == in_child(work)

    def test_walk_finds_state_of_every_part(self, telemetry: Telemetry) -> None:
        """The walk finds the locks, threads, sockets and files of every part of telemetry."""
        paths = {f.path.rpartition(".")[2] for f in inventory(roots(telemetry), FOREIGN)}

        assert {"_lock", "stream", "_worker_thread", "sock"} <= paths


def fork_once(telemetry: Telemetry) -> int:
    """Return the exit code of a child that uses telemetry, or the signal that ended the child."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        signal.alarm(10)
        use(telemetry)
        code = 0
    finally:
        os._exit(code)


class TestUse:
    def test_children_use_telemetry_while_threads_of_parent_do(
        self, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Children that are forked while threads use telemetry can use all of it, too."""
        # A child cannot use the buffered file of pytest's handler if a thread was writing to it.
        root = logging.getLogger()
        ours = [each for each in root.handlers if type(each).__module__.startswith("otel_meta")]
        assert ours
        monkeypatch.setattr(root, "handlers", ours)
        done = Event()

        def work() -> None:
            while not done.is_set():
                use(telemetry)

        threads = [Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            codes = {fork_once(telemetry) for _ in range(40)}
        finally:
            done.set()
            for thread in threads:
                thread.join()

        assert {0} == codes
