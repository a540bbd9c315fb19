"""The state that a forked child inherits from a process with all of telemetry."""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import pytest

from otel_meta import Telemetry, configure
from otel_meta.repos import Aurora
from otel_meta.testing import http_receiver
from otel_meta.testing.otlp_receiver import OtlpReceiver
from tests.runtime.fork_inventory import LOCKS, Found, inventory, roots_of_package
from tests.runtime.forks import in_child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

SAFE: Final = {
    # Locks of the SDK and of prometheus_client, which do not renew them. A child that is forked
    # while another thread is within one of them waits at its next use of the same object.
    "BoundedAttributes._lock": "of one span or log record, which one thread writes",
    "CollectorRegistry._lock": "held while a collector is registered, at start",
    "IsolatingRegistry._lock": "held while a collector is registered, at start",
    "Meter._instrument_ids_lock": "held while an instrument is created",
    "Meter._instrument_registration_lock": "held while an instrument is created",
    "Once._lock": "held while a global provider is set, at start",
    "SynchronousMultiLogRecordProcessor._lock": "held while a processor is added, at start",
    "SynchronousMultiSpanProcessor._lock": "held while a processor is added, at start",
    # Locks of one collection of the SDK's own instruments.
    "MetricReaderStorage._lock": "of the SDK, held while its own instruments are collected",
    "SimpleFixedSizeExemplarReservoir._lock": "likewise, and while a value is measured",
    "SynchronousMeasurementConsumer._lock": "likewise",
    "_LastValueAggregation._lock": "likewise",
    "_ViewInstrumentMatch._lock": "likewise",
    # Open files and threads.
    "LineWriter._stream": "standard output, which is unbuffered and shared on purpose",
}
"""Objects of one process that a child may inherit, with the reason."""

EXPORTING: Final = {
    "Event._cond",
    "HTTPConnection._HTTPConnection__response",
    "HTTPConnection.sock",
    "LifoQueue.mutex",
    "RecentlyUsedContainer.lock",
    "RequestsCookieJar._cookies_lock",
    "Telemetry._shutdown_lock",
}
"""Objects of the exporters' sessions and of the shutdown, which a child inherits."""


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
        use(telemetry)
        telemetry.flush()
        yield telemetry
        telemetry.shutdown()
    root.handlers[:], root.level = handlers, level


def use(telemetry: Telemetry) -> None:
    """Record, trace, log, sample and scrape."""
    assert telemetry.traces
    assert telemetry.scrape
    live = telemetry.bind(Aurora)
    with telemetry.traces.provider.get_tracer("test").start_as_current_span("request"):
        live.registrations.add(1, channel="web")
        logging.getLogger("shop").warning("registered")
    telemetry.tracker.sample()
    telemetry.tracker.statuses()
    telemetry.scrape.render()


def roots(telemetry: Telemetry) -> Iterable[tuple[str, object]]:
    """Return what the walk begins with."""
    yield "telemetry", telemetry
    yield from roots_of_package()
    yield from (("root", handler) for handler in logging.getLogger().handlers)


def is_known(found: Found) -> bool:
    """Return True if a child may inherit the object."""
    return found.path in SAFE or found.path in EXPORTING


def inherited(telemetry: Telemetry, before: set[int]) -> list[str]:
    """Return the paths of the objects in a child that are still those of the parent."""
    return sorted(
        {f.path for f in inventory(roots(telemetry)) if is_inherited(f, before)},
    )


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


def hold(found: list[Found], held: Event, done: Event) -> None:
    """Hold all locks until the second event."""
    acquired = [f.value for f in found if f.value.acquire(timeout=10)]
    assert len(found) == len(acquired)
    held.set()
    done.wait()
    for lock in acquired:
        lock.release()


class TestInventory:
    def test_child_inherits_nothing_but_what_is_known_to_be_safe(
        self, telemetry: Telemetry
    ) -> None:
        """A child has its own locks, threads, sockets and files, except those known to be safe."""
        found = inventory(roots(telemetry))
        locks = [f for f in found if isinstance(f.value, LOCKS)]
        before = {id(f.value) for f in found}
        held, done = Event(), Event()
        holder = Thread(target=hold, args=(locks, held, done), daemon=True)
        holder.start()
        held.wait(20)
        try:
            paths = in_child(lambda: inherited(telemetry, before))
        finally:
            done.set()
            holder.join()

        assert [] == [path for path in paths if not is_known(Found(path, None))]

    def test_walk_finds_state_of_every_part(self, telemetry: Telemetry) -> None:
        """The walk finds the locks, threads, sockets and files of every part of telemetry."""
        paths = {f.path.rpartition(".")[2] for f in inventory(roots(telemetry))}

        assert {"_lock", "_stream", "_worker_thread", "sock"} <= paths


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
