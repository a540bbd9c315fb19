"""Atomic updates of the numbers of a series: thread-safe recording without a lock.

Theory of operation
-------------------

**The race.** ``numbers[0] += amount`` reads a number, adds to it, and writes the sum back. If two
threads read before either writes, one recording is lost. The usual cure is a lock, which has two
costs. An uncontended lock takes about as long as the rest of a recording. And a lock can stay held:
if a signal handler raises an exception (a task queue's time limit does), or if a signal handler
records while the interrupted code holds the lock, the thread waits for itself.

**Atomic under the GIL.** Only the thread that holds the GIL runs Python byte code. CPython releases
the GIL on request, and runs signal handlers, at certain instructions only: at the entry of a
function, after a call, at a backward jump, and where a generator or coroutine resumes. A sequence
without such instructions is atomic: no thread and no signal handler runs in between. The C code
under such a sequence must not run Python code either. Three facts of `cells` ensure this:

- the numbers are exact floats in a list, or C doubles (an `array`, or a `memoryview` of shared
  memory), so that a read gives a plain float and a write runs no destructor of another class;
- an amount is an exact ``int`` or ``float``; other types are converted before the update begins;
- calls (`bisect`, the clock) come before the update, and exemplars are taken after it.

**The guaranteed operations** are these:

- ``SumCell.add`` and ``CounterCell.add`` change the sum;
- ``HistogramCell.record`` changes the count of a bucket and the sum of the values together;
- ``GaugeCell.set`` changes the value and its time together;
- each of these checks that the series was not removed, as part of the update;
- the same holds for the same updates inside the compiled functions (see `updates`);
- ``Cell.move`` copies all numbers to other memory and replaces them by the copy, so no update
  falls between the two (both are buffers, because the copy of a list to a buffer takes a loop);
- ``Family`` links a new series, and unlinks a removed one;
- ``Cell.read`` copies all numbers of a series in one call of C code.

A reader in the same process therefore sees the numbers of one moment: the counts of a histogram
always belong to its sum. An update of a removed series changes nothing and returns False. The
recorder looks the series up again, so the update counts in the new series.

**Exceptions of signal handlers.** No ``try`` block contains an update, and updates raise nothing of
their own. A time limit that arrives at the call of an update, in it or after it therefore reaches
the application, and nothing is recorded again. Objects of the application are converted by
instructions at which no signal handler runs (a store into an `array`, an f-string), so that what
the ``try`` block around them catches is an exception of the object. If the object's own code is
interrupted, `otel_meta.runtime.interruption` recognises the exception of the handler.

**The proof.** ``tests/runtime/recording/test_atomic.py`` disassembles each update, from the check
of the state to the last instruction that stores, and fails if an instruction in between may release
the GIL. The test runs on every version of Python in the test matrix, because the byte code is an
implementation detail of CPython.

**Free-threaded builds and other interpreters.** Without a GIL, no sequence of instructions is
atomic. There, `ATOMIC` is False and `atomic` wraps each operation in one lock for the process. The
compiled functions then call the methods of the cell. The lock is re-entrant, so that a finaliser or
a signal handler may record.

**The native core.** `native.native_core` replaces these operations by functions in C. Under the
GIL, a function in C that calls no Python code is atomic. On free-threaded builds, each update holds
a lock of its one series for some nanoseconds. Nothing under this lock allocates, calls Python or
blocks, and in a forked child the locks of the parent count as free.

**Creation of series.** A lookup of an existing series is one dictionary read without a lock.
Creation, removal and listing hold the re-entrant lock of the `Family`; faults are reported after
its release, because a log handler may record. A new series is linked first, with numbers in the
heap, and then placed by the allocator. A signal handler that records into the same series
meanwhile finds the linked series. A series that it creates itself is placed by the interrupted
call.

**Fork.** A forked child has one thread. Locks that other threads of the parent held would never be
released, so every lock is a `ForkSafeLock`. Every cell of the parent refuses updates: a handle on
such a cell looks the series up again, and starts at zero. The parent's numbers are not touched,
which matters if they are in shared memory.

**Recursion.** A recording needs one frame of Python's stack, and more for a new series. Near the
recursion limit it raises RecursionError like any call, instead of a silent loss.

**Not guaranteed.** Some limits remain:

- The numbers of different series may be of different moments.
- Of two simultaneous ``set`` calls, either may win.
- Readers in other processes see each double whole, but may see a bucket's count before the sum.
- Of two simultaneous exemplars, one is lost.
- Under a tracer in Python (`sys.settrace`, or `sys.monitoring` with a callback in Python), other
  threads also run between two lines. An update is one line, so counts stay exact and snapshots
  whole, but a recording may be lost while its series is removed. A tracer of single instructions
  (``f_trace_opcodes``, ``INSTRUCTION`` events) lets other threads run within an update: recordings
  may be lost. Coverage and profilers in C do neither.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast

from otel_meta.runtime.fork import ForkSafeLock

ATOMIC: Final = sys.implementation.name == "cpython" and not sysconfig.get_config_var(
    "Py_GIL_DISABLED"
)
"""True if this interpreter has a GIL, under which the updates are atomic; otherwise they lock."""

Method = TypeVar("Method", bound=Callable[..., Any])


def atomic(method: Method) -> Method:
    """Make a method atomic: unchanged under the GIL, and with a lock on other interpreters.

    The method must be written as the module's theory of operation demands.
    """
    return method if ATOMIC else locked(method)


def locked(method: Method) -> Method:
    """Make a method hold the process-wide lock, which is correct on every interpreter but slow."""

    @wraps(method)
    def call(*args: Any) -> Any:
        with _fallback_lock:
            return method(*args)

    return cast("Method", call)


_fallback_lock: Final = ForkSafeLock()
