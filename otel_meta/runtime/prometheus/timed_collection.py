"""Calls of collectors with a time limit: a slow or failing collector costs only its own metrics."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Event, Thread
from typing import Any, Final, NamedTuple

from otel_meta.runtime.fork import reset_after_fork
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import OnFault


class Source(NamedTuple):
    """Something to collect from."""

    key: Hashable
    """The collector, of which one call is under way at a time."""
    name: str
    """The source of faults."""
    collect: Callable[[], Any]


class TimedCollection:
    """Collects from sources one after the other, on a thread that is not awaited for ever.

    Args:
        on_fault: called for sources that fail or are late.
        seconds: how long to wait for all sources together.
    """

    def __init__(self, on_fault: OnFault, seconds: float) -> None:
        self._on_fault: Final = on_fault
        self._seconds: Final = seconds
        self._under_way: Final[set[Hashable]] = set()
        self._slow: set[Hashable] = set()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the calls that are under way in the parent."""
        self._under_way.clear()

    def collect(self, sources: Sequence[Source]) -> Mapping[Hashable, Any]:
        """Return the results by key, without those of sources that fail or are late.

        Sources that were slow before come last, and only if their last call has returned.
        """
        free = [source for source in sources if source.key not in self._under_way]
        free.sort(key=lambda source: source.key in self._slow)
        results: dict[Hashable, Any] = {}
        done, abandoned = Event(), Event()
        self._start(free, results, done, abandoned)
        done.wait(self._seconds)
        abandoned.set()
        results = results.copy()  # to which the thread adds no more
        self._slow = self._under_way.copy()
        for source in sources:
            if source.key not in results:
                self._on_fault(source.name, "late", "its metrics are not on the page")
        return {key: result for key, result in results.items() if result is not None}

    def _start(self, *args: Any) -> None:
        thread = Thread(target=self._run, args=args, name="otel_meta collection", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the limit of the system, or the interpreter shuts down
            reraise_interruption(error)
            self._run(*args)

    def _run(
        self, sources: Sequence[Source], results: dict[Hashable, Any], done: Event, abandoned: Event
    ) -> None:
        try:
            for source in sources:
                if abandoned.is_set():
                    return
                results[source.key] = self._call(source)
        finally:
            done.set()

    def _call(self, source: Source) -> Any:
        self._under_way.add(source.key)
        try:
            return source.collect()
        except (Exception, SystemExit) as error:  # which would end the thread without a word
            reraise_interruption(error)
            self._on_fault(source.name, "not exposed", error)
            return None
        finally:
            self._under_way.discard(source.key)
