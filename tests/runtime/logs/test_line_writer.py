from __future__ import annotations

import io
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from otel_meta.runtime.logs.line_writer import LineWriter, standard_output
from otel_meta.runtime.recording.faults import Faults

if TYPE_CHECKING:
    from tests.conftest import Run

LONG = b"x" * 300_000


class TimeLimit(Exception):
    """An exception that a signal handler raises."""


class Pipe:
    """A pipe whose reader begins when a test asks."""

    def __init__(self, *, blocking: bool = True, buffering: int = 0) -> None:
        self.reading, writing = os.pipe()
        os.set_blocking(writing, blocking)
        self.stream: Any = os.fdopen(writing, "wb", buffering)
        self.data = bytearray()

    def read_some(self) -> None:
        """Read what is in the pipe."""
        while select.select([self.reading], [], [], 0)[0]:
            self.data += os.read(self.reading, 65_536)

    def read_slowly(self) -> None:
        """Read until the pipe is closed."""
        while part := os.read(self.reading, 16_384):
            self.data += part
            Event().wait(0.0005)

    def close(self) -> None:
        """Close the end of the writer."""
        with suppress(OSError):
            self.stream.close()

    @property
    def lines(self) -> list[bytes]:
        """The lines read; a rest without an end of line is the last."""
        return bytes(self.data).removesuffix(b"\n").split(b"\n")


@pytest.fixture
def open_pipe() -> Iterator[Callable[..., Pipe]]:
    """Function that opens a pipe."""
    pipes: list[Pipe] = []

    def create(**options: Any) -> Pipe:
        pipes.append(Pipe(**options))
        return pipes[-1]

    yield create
    for pipe in pipes:
        pipe.close()
        with suppress(OSError):
            os.close(pipe.reading)


@contextmanager
def slow_reader(pipe: Pipe) -> Iterator[None]:
    """Read from a pipe in a thread; at the end, close the pipe and read the rest."""
    reading = Thread(target=pipe.read_slowly)
    reading.start()
    yield
    pipe.close()
    reading.join()


class OneByte(io.RawIOBase):
    """A stream that takes one byte at a time, and calls a function before each."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.data = bytearray()
        self._before = before

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Take one byte."""
        self._before()
        self.data += bytes(data[:1])
        return 1


def writer(stream: Any) -> tuple[LineWriter, Faults]:
    """Return a writer to a stream, and its faults."""
    faults = Faults()
    return LineWriter(lambda: stream, faults), faults


def reasons(faults: Faults) -> dict[tuple[str, ...], float]:
    """Return the number of faults by source and reason."""
    return {cell.labels: cell.value for cell in faults.family.cells()}


@contextmanager
def timer(seconds: float, handler: Callable[[], None]) -> Iterator[None]:
    """Call a function again and again, in a signal handler of the main thread."""
    former = signal.signal(signal.SIGALRM, lambda *_: handler())
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@pytest.mark.usefixtures("untraced")
class TestShortWrites:
    def test_stream_that_takes_parts_gets_whole_lines(self) -> None:
        """A stream that takes one byte at a time gets whole lines."""
        stream = OneByte()
        lines, faults = writer(stream)
        lines.write(b"first")
        lines.write(b"second")

        assert b"first\nsecond\n" == bytes(stream.data)
        assert 0 == faults.count()

    def test_lines_to_slow_reader_are_whole_despite_signals(
        self, open_pipe: Callable[..., Pipe]
    ) -> None:
        """Lines to a slow reader are whole, although signals interrupt their writes."""
        pipe = open_pipe()
        lines, faults = writer(pipe.stream)
        with slow_reader(pipe), timer(0.002, lambda: None):
            for _ in range(20):
                lines.write(LONG)

        assert [LONG] * 20 == pipe.lines
        assert 0 == faults.count()

    def test_lines_that_do_not_fit_into_pipe_are_counted_and_none_is_torn(
        self, open_pipe: Callable[..., Pipe]
    ) -> None:
        """Lines that do not fit into a pipe that does not block are counted; none is torn."""
        pipe = open_pipe(blocking=False)
        lines, faults = writer(pipe.stream)
        for _ in range(100):
            lines.write(b"x" * 10_000)
        pipe.read_some()
        lines.write(b"end")
        with slow_reader(pipe):
            pass

        assert {b"x" * 10_000, b"end"} == set(pipe.lines)
        assert 101 == len(pipe.lines) + faults.count()
        assert {("log stream", "EAGAIN")} == set(reasons(faults))

    def test_line_begun_at_end_is_finished_when_reader_returns(
        self, open_pipe: Callable[..., Pipe]
    ) -> None:
        """A line that was written in part is finished at the end if the reader returns."""
        pipe = open_pipe(blocking=False)
        lines, faults = writer(pipe.stream)
        lines.write(LONG)
        with slow_reader(pipe):
            lines.close(timeout=20)

        assert [LONG] == pipe.lines
        assert 0 == faults.count()

    def test_line_begun_at_end_is_counted_if_nobody_reads(
        self, open_pipe: Callable[..., Pipe]
    ) -> None:
        """A line that was written in part is counted at the end if nobody reads."""
        lines, faults = writer(open_pipe(blocking=False).stream)
        lines.write(LONG)
        lines.close(timeout=0.05)

        assert 1 == faults.count()


class TestBroken:
    @pytest.mark.parametrize("buffering", [0, 8192])
    def test_lines_to_reader_that_died_are_counted(
        self, open_pipe: Callable[..., Pipe], buffering: int
    ) -> None:
        """Lines to a reader that died are counted."""
        pipe = open_pipe(buffering=buffering)
        lines, faults = writer(pipe.stream)
        os.close(pipe.reading)
        lines.write(b"first")
        lines.write(b"second")

        assert {("log stream", "EPIPE"): 2} == reasons(faults)

    def test_lines_to_full_disk_are_counted_and_none_is_torn(self, tmp_path: Path) -> None:
        """Lines to a full disk are counted, and a line begun is finished when there is space."""
        path = tmp_path / "log"
        former = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with path.open("ab", buffering=0) as stream:
            lines, faults = writer(stream)
            try:
                resource.setrlimit(resource.RLIMIT_FSIZE, (25, former[1]))
                for _ in range(5):
                    lines.write(b"0123456789")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, former)
                signal.signal(signal.SIGXFSZ, ignored)
            lines.write(b"0123456789")

        assert [b"0123456789"] * 4 == path.read_bytes().splitlines()
        assert 2 == faults.count()

    def test_lost_lines_are_reported_once_when_stream_recovers(
        self, open_pipe: Callable[..., Pipe], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Lost lines are reported once, when the stream is written again."""
        pipe = open_pipe(blocking=False)
        lines, _ = writer(pipe.stream)
        while not caplog.messages:
            for _ in range(20):
                lines.write(b"x" * 10_000)
            pipe.read_some()
            lines.write(b"said")
        lines.write(b"said")

        assert 1 == sum("log lines were lost" in message for message in caplog.messages)

    def test_closed_standard_output_is_replaced_by_its_successor(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """If standard output was closed, lines go to the standard output of today."""
        first, second = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stdout", first)
        lines = LineWriter(standard_output, Faults())
        monkeypatch.setattr(sys, "stdout", second)
        first.close()
        lines.write(b"said")

        assert b"said\n" == second.buffer.getvalue()

    def test_standard_output_may_take_text_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Standard output may take text only, as in a notebook."""
        text = io.StringIO()
        monkeypatch.setattr(sys, "stdout", text)
        LineWriter(standard_output, Faults()).write(b"said")

        assert "said\n" == text.getvalue()

    def test_standard_output_may_be_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Standard output may be missing, closed by the shell."""
        monkeypatch.setattr(sys, "stdout", None)
        faults = Faults()
        LineWriter(standard_output, faults).write(b"said")

        assert 0 == faults.count()


@pytest.mark.usefixtures("untraced")
class TestReentrancy:
    def test_line_of_signal_handler_follows_line_under_way(self) -> None:
        """A line logged by a signal handler is written after the line under way."""
        pending = [b"from the handler"]

        def interrupt() -> None:
            if pending:
                lines.write(pending.pop())

        stream = OneByte(interrupt)
        lines, faults = writer(stream)
        lines.write(b"under way")

        assert b"under way\nfrom the handler\n" == bytes(stream.data)
        assert 0 == faults.count()

    def test_signal_handler_may_log_below_buffer_of_stream(
        self, open_pipe: Callable[..., Pipe]
    ) -> None:
        """A signal handler may log while a buffered stream is written, which is not reentrant."""
        pipe = open_pipe(buffering=8192)
        lines, faults = writer(pipe.stream)
        handled: list[bytes] = []

        def interrupt() -> None:
            handled.append(b"handled")
            lines.write(b"handled")

        with slow_reader(pipe), timer(0.002, interrupt):
            for _ in range(20):
                lines.write(LONG)

        assert sorted([LONG] * 20 + handled) == sorted(pipe.lines)
        assert len(handled) > 0
        assert 0 == faults.count()

    @pytest.mark.parametrize("buffering", [0, 8192])
    def test_exception_of_signal_handler_reaches_application_and_tears_no_line(
        self, open_pipe: Callable[..., Pipe], buffering: int
    ) -> None:
        """An exception of a signal handler reaches the application, and no line is torn."""

        def fail() -> None:
            raise TimeLimit

        pipe = open_pipe(buffering=buffering)
        lines, faults = writer(pipe.stream)
        raised = 0
        with slow_reader(pipe):
            with timer(0.003, fail):
                for _ in range(30):
                    try:
                        lines.write(LONG)
                    except TimeLimit:
                        raised += 1
            lines.write(b"end")

        assert 0 < raised
        assert {LONG, b"end"} == set(pipe.lines)
        assert 0 == faults.count()

    def test_exception_of_signal_handler_leaves_writer_to_other_threads(self) -> None:
        """After an exception of a signal handler, other threads can write lines."""
        lines, _ = writer(io.BytesIO())

        def fail(*_: object) -> None:
            raise TimeLimit

        def write(seconds: float) -> None:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            while True:
                lines.write(b"line")

        before = signal.signal(signal.SIGALRM, fail)
        try:
            for number in range(200):
                with pytest.raises(TimeLimit):
                    write(0.00005 + number * 1e-6)
        finally:
            signal.signal(signal.SIGALRM, before)
        thread = Thread(target=lines.write, args=(b"end",), daemon=True)
        thread.start()
        thread.join(10)

        assert not thread.is_alive()

    def test_os_error_of_signal_handler_reaches_application(self) -> None:
        """An OSError of a signal handler is no error of the stream: it reaches the application."""

        def fail() -> None:
            raise TimeoutError("the task has taken too long")

        stream = OneByte(lambda: signal.raise_signal(signal.SIGALRM))
        lines, faults = writer(stream)
        with timer(60, fail), pytest.raises(TimeoutError):
            lines.write(b"said")

        assert 0 == faults.count()

    def test_lines_of_threads_forks_and_signals_are_whole(self, script: Callable[..., Run]) -> None:
        """Lines of threads, forked children and signal handlers at once are whole; none is lost."""
        run = script(STORM)
        said = [line["event"] for line in run.lines]

        assert 0 == run.code, run.stderr
        totals = json.loads(run.stderr.splitlines()[-1])
        assert totals == {word: said.count(word) for word in totals}
        assert 0 < totals["handler"]

    def test_line_of_thread_waits_for_line_of_another_thread(
        self, open_pipe: Callable[..., Pipe]
    ) -> None:
        """A line waits until the line of another thread is written, and is then written itself."""
        pipe = open_pipe()
        lines, _ = writer(pipe.stream)
        threads = [Thread(target=lines.write, args=(LONG,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(0.02)
        are_waiting = [thread.is_alive() for thread in threads]
        with slow_reader(pipe):
            for thread in threads:
                thread.join()

        assert [True, True] == are_waiting
        assert [LONG, LONG] == pipe.lines

    @pytest.mark.parametrize("buffering", [0, 8192])
    def test_line_is_one_write_with_its_end(self, tmp_path: Path, buffering: int) -> None:
        """A line and its end are a single write: lines of other processes stay outside."""
        path = tmp_path / "log"
        with path.open("wb", buffering) as stream:
            lines, _ = writer(stream)
            written: list[bytes] = []
            lines._write_some = lambda data: written.append(bytes(data)) or len(data)  # type: ignore[func-returns-value]
            lines.write(b"said")

        assert [b"said\n"] == written


STORM = """
import json, logging, os, signal, sys, threading
import structlog
import otel_meta

otel_meta.configure("storm", set_global=False)
log, standard = structlog.get_logger("storm"), logging.getLogger("storm")
handled = 0

def handler(*_):
    global handled
    handled += 1
    log.info("handler")

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)

class Finalized:
    def __del__(self):
        standard.info("finalizer")

def work():
    for _ in range(300):
        log.info("thread", text="x" * 300)
        standard.info("thread", extra={"text": "x" * 300})
        Finalized()

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(15):
    if (child := os.fork()) == 0:
        signal.alarm(10)
        log.info("child")
        standard.info("child")
        os._exit(0)
    while True:
        log.info("parent")
        standard.info("parent")
        if os.waitpid(child, os.WNOHANG)[0]:
            break
for thread in threads:
    thread.join()
signal.setitimer(signal.ITIMER_REAL, 0)
totals = {"thread": 1800, "finalizer": 900, "child": 30, "handler": handled}
print(json.dumps(totals), file=sys.stderr)
"""
