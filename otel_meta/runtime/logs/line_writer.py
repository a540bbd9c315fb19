"""The stream of log lines: each line is written whole, or counted as lost."""

from __future__ import annotations

import errno
import io
import select
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO, Final, cast

from otel_meta.runtime.fork import ForkSafeLock, reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption, suppress_faults
from otel_meta.runtime.recording.faults import Faults, logger

OpenStream = Callable[[], BinaryIO]
"""Returns the stream for lines; called again if the stream was closed."""
_CLOSED: Final = "closed"
_CLOSE_TIMEOUT: Final = 1.0
"""Seconds to finish a line at the end, if a pipe has taken only a part."""


def standard_output() -> BinaryIO:
    """Return standard output for bytes, also if `sys.stdout` was replaced by a text stream."""
    if sys.stdout is None:  # closed by the shell
        return cast("BinaryIO", _NoOutput())
    return cast("BinaryIO", getattr(sys.stdout, "buffer", None) or _TextOutput())


class _NoOutput(io.RawIOBase):
    """Standard output of a process without one."""

    def write(self, data: Any) -> int:
        return len(data)


class _TextOutput:
    """Standard output of a notebook or an editor, which takes text only."""

    closed = False

    def write(self, line: bytes) -> None:
        sys.stdout.write(line.decode())

    def flush(self) -> None:
        sys.stdout.flush()


_Line = tuple[bytes, list[int]]
"""A line, and the numbers of bytes that the stream has taken so far."""


class LineWriter:
    """Writes lines to a stream, from any thread, signal handler and finalizer.

    A signal handler or a finalizer can run inside `write` and log a line itself. Its line is queued
    and written after the line under way, by the same thread. A line that the stream takes in parts
    is continued before any further line, also after an exception of a signal handler.

    Standard output is written below its buffer: the lock of the buffer neither allows a second
    entry of the same thread, nor is it released in a forked child.

    Args:
        open_stream: returns the stream.
        faults: counts the lost lines.

    Attributes:
        stream: the stream of today.
    """

    def __init__(self, open_stream: OpenStream, faults: Faults) -> None:
        self._open_stream: Final = open_stream
        self._faults: Final = faults
        self._lost = 0
        self._is_loss_logged = False
        self._lock: Final = ForkSafeLock()
        self._use(open_stream())
        self.after_fork()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Leave the queue to the parent, whose threads write it."""
        self._queue: deque[_Line] = deque()
        self._is_writing = False

    def write(self, line: bytes) -> None:
        """Write one line. An error of the stream is counted, not raised."""
        with self._lock:
            self._queue.append((line + b"\n", []))
            is_written = self._drain()
        if self._lost and is_written and not self._is_loss_logged:
            self._log_loss()

    def close(self, timeout: float = _CLOSE_TIMEOUT) -> None:
        """Finish a line of which the stream has taken only a part; count it if it takes longer."""
        deadline = time.monotonic() + timeout
        with self._lock:
            while self._queue and self._is_writable(deadline - time.monotonic()):
                self._drain()
            self._lose("EAGAIN", len(self._queue))
            self._queue.clear()

    def _drain(self) -> bool:
        """Write the queue, unless this thread is writing it; return True if it was written."""
        is_written = False
        # Checked again after the end: a signal handler may have queued a line just before.
        while self._queue and not self._is_writing:
            self._is_writing = True
            try:
                is_written = self._write_queue()
            finally:
                self._is_writing = False
            if not is_written:
                break
        return is_written

    def _write_queue(self) -> bool:
        """Write all lines; return False if the stream does not take them."""
        queue = self._queue
        while queue:
            data, counts = queue[0]
            rest = memoryview(data)[sum(counts) :] if counts else data
            if rest and (reason := self._write_part(rest, counts)):
                self._drop_queue(reason)
                return False
            if sum(counts) == len(data):
                queue.popleft()
        return True

    def _write_part(self, rest: bytes | memoryview, counts: list[int]) -> str | None:
        """Write a part of a line; return the reason if the stream takes nothing."""
        before = len(counts)
        try:
            # The count is appended in C: no signal handler runs between the write and its count.
            counts.extend(filter(None, map(self._write_some, (rest,))))
        except (OSError, ValueError) as error:
            reraise_interruption(error)
            return None if self._reopen() else _reason(error)
        return "EAGAIN" if len(counts) == before else None

    def _drop_queue(self, reason: str) -> None:
        """Drop all lines, except for the rest of a line of which a part is written."""
        begun: list[_Line] = []
        dropped = 0
        while self._queue:
            line = self._queue.popleft()
            if line[1]:
                begun.append(line)
            else:
                dropped += 1
        self._queue.extendleft(begun)
        self._lose(reason, dropped)

    def _lose(self, reason: str, lines: int) -> None:
        if lines:
            self._lost += lines
            self._faults.count_only("log stream", reason, lines)

    def _log_loss(self) -> None:
        self._is_loss_logged = True
        logger.warning(
            "%d log lines were lost: their stream could not be written; "
            "more of these are counted in otel_meta_faults_total, not logged",
            self._lost,
        )

    def _use(self, stream: BinaryIO) -> None:
        self.stream = stream
        raw = _unbuffered(stream)
        self._write_some: Callable[[bytes | memoryview], int | None] = (
            self._write_all if raw is None else raw.write
        )

    def _reopen(self) -> bool:
        """Return True if the stream was closed and there is another."""
        if not getattr(self.stream, "closed", False):
            return False
        stream = self._open_stream()
        if stream is self.stream or getattr(stream, "closed", False):
            return False
        self._use(stream)
        return True

    def _write_all(self, data: bytes | memoryview) -> int:
        self.stream.write(bytes(data))
        self.stream.flush()
        return len(data)

    def _is_writable(self, timeout: float) -> bool:
        try:
            return timeout > 0 and bool(select.select((), (self.stream,), (), timeout)[1])
        except (OSError, ValueError) as error:
            reraise_interruption(error)
            return False


def _unbuffered(stream: BinaryIO) -> io.RawIOBase | None:
    """Return the file below a buffered stream; None if the stream is of another kind."""
    if type(stream) is io.BufferedWriter and type(stream.raw) is io.FileIO:
        with suppress_faults(OSError, ValueError):
            stream.flush()
        return stream.raw
    return stream if isinstance(stream, io.RawIOBase) else None


def _reason(error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    return _CLOSED if code is None else errno.errorcode.get(code, "unwritable")
