"""A program that records what it is told, for the comparison of the cores.

Each line of its input has the steps of one script as JSON; each line of its output has all numbers,
faults, log lines and exceptions that the script led to. Values are expressions, because most
objects have no JSON.
"""

from __future__ import annotations

import copy
import inspect
import json
import logging
import os
import pydoc
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from threading import Thread
from typing import Any, Final, Literal

import numpy as np
from opentelemetry.sdk.trace import TracerProvider

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.runtime.lifecycle.span_processors import SampledSpanCounter
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.memory import heap_zeros
from otel_meta.runtime.recording.native.native_core import NATIVE
from otel_meta.runtime.recording.storage import MetricStorage

Step = list[Any]


@labels
class Request:
    """Two labels, one of them closed and with a default."""

    route: str
    outcome: Literal["success", "failure"] = "success"


INSTRUMENTS: Final = {
    "counter": Counter("acme.requests", "Requests.", Request),
    "updowncounter": UpDownCounter("acme.connections", "Connections.", Request),
    "gauge": Gauge("acme.level", "A level.", Request),
    "histogram": Histogram("acme.size", "A size.", Request, buckets=(1, 10, 2**53, 1e18)),
}
METHODS: Final = {"counter": "add", "updowncounter": "add", "gauge": "set", "histogram": "record"}


class Text(str):
    """Text of a subclass with a hash of its own."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        return self is other


class PlainText(str):
    """Text of a subclass that is equal to plain text."""

    __slots__ = ()


class Number(float):
    """A float of a subclass."""


class Hostile:
    """An object that raises whatever is asked of it."""

    __hash__ = None  # type: ignore[assignment]  # the case

    def __float__(self) -> float:
        raise RuntimeError("no number")

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Exiting:
    """An object that ends the program where it is converted."""

    def __float__(self) -> float:
        raise SystemExit(3)

    def __str__(self) -> str:
        raise SystemExit(3)


NAMES: Final = {
    each.__name__: each
    for each in (Decimal, Fraction, Text, PlainText, Number, Hostile, Exiting, np.float64, np.int8)
}


class LogLines(logging.Handler):
    """Keeps the log lines, with the places of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(without_addresses(record.getMessage()))


class Script:
    """The instruments of one script, and what happened to them."""

    def __init__(self) -> None:
        self.storage = MetricStorage(Faults(), max_series=4)
        self.live: dict[str, Any] = {
            kind: self.storage.recorder(each) for kind, each in INSTRUMENTS.items()
        }
        self.handles: dict[str, Any] = {}
        self.happened: list[object] = []
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SampledSpanCounter(self.storage.spans))
        self.tracer = provider.get_tracer("test")

    def run(self, steps: list[Step]) -> None:
        """Take steps, each of which is the name of a method and its arguments."""
        for name, *arguments in steps:
            try:
                getattr(self, name)(*arguments)
            except BaseException as error:  # noqa: BLE001 - what the application gets
                self.happened.append(f"{type(error).__name__}: {error}")

    def call(self, kind: str, values: list[str], given: Mapping[str, str]) -> None:
        """Call the recording method of a live instrument."""
        getattr(self.live[kind], METHODS[kind])(*map(value_of, values), **texts_of(given))

    def bound(self, kind: str, values: list[str], given: Mapping[str, str]) -> None:
        """Call the recording method of a handle, the same for equal labels."""
        key = f"{kind} {json.dumps(given)}"
        if key not in self.handles:
            self.handles[key] = self.live[kind].with_labels(**texts_of(given))
        getattr(self.handles[key], METHODS[kind])(*map(value_of, values))

    def remove(self, kind: str, given: Mapping[str, str]) -> None:
        """Remove a series."""
        self.live[kind].remove(**texts_of(given))

    def move(self) -> None:
        """Move the numbers of all series to other memory."""
        for instrument in INSTRUMENTS.values():
            for cell in self.storage.family(instrument).cells():
                cell.move(heap_zeros(len(cell.numbers)))

    def collect(self) -> None:
        """Begin a collection, after which exemplars are due."""
        list(self.storage.families())

    def in_span(self, steps: list[Step]) -> None:
        """Take steps in a sampled span."""
        with self.tracer.start_as_current_span("request"):
            self.run(steps)

    def in_threads(self, steps: list[Step]) -> None:
        """Take steps in three threads at the same time, while a fourth moves the numbers.

        Each step is taken before, because the order of new series would depend on the threads.
        """
        self.run(steps)
        work = [20 * steps] * 3 + [20 * [["move"]]]
        threads = [Thread(target=self.run, args=(each,)) for each in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def in_fork(self, steps: list[Step]) -> None:
        """Take steps in a forked child."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            with suppress(BaseException), os.fdopen(writer, "w") as stream:
                self.happened.clear()
                self.run(steps)
                json.dump(self.result(), stream)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            self.happened.append(json.load(stream))
        os.waitpid(child, 0)

    def describe(self) -> None:
        """Look at the recording methods as `help` and other tools do."""
        for kind, live in self.live.items():
            for owner in (live, live.with_labels(route="/")):
                function = getattr(owner, METHODS[kind])
                self.happened.append(described(function))

    def result(self) -> object:
        """Return all that happened."""
        series = {
            kind: [shown(cell) for cell in self.storage.family(instrument).cells()]
            for kind, instrument in INSTRUMENTS.items()
        }
        faults = [(cell.labels, cell.value) for cell in self.storage.faults.family.cells()]
        return {"series": series, "faults": faults, "happened": self.happened}


def value_of(expression: str) -> Any:
    """Return the value of an expression."""
    return eval(expression, dict(NAMES))


def texts_of(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of labels."""
    return {name: value_of(expression) for name, expression in given.items()}


def shown(cell: Any) -> object:
    """Return the labels and the numbers of a series, and the values of its exemplars."""
    numbers = list(cell.read())
    if hasattr(cell, "set_at"):
        numbers[1] = cell.set_at > 0
    exemplars = getattr(cell, "exemplars", {0: getattr(cell, "exemplar", None)})
    taken = {str(key): each.value for key, each in exemplars.items() if each is not None}
    return [cell.labels, list(map(repr, numbers)), taken, cell.writable]


def described(function: Callable[..., Any]) -> list[object]:
    """Return what tools show of a function, without addresses in memory."""
    text = pydoc.plain(pydoc.render_doc(function)).partition("\n\n")[2]
    return [
        str(inspect.signature(function)),
        function.__name__,
        function.__qualname__,
        function.__doc__,
        function.__code__.co_filename,
        inspect.isroutine(function),
        callable(function),
        copy.deepcopy(function) is function,
        without_addresses(text),
    ]


def without_addresses(text: str) -> str:
    """Return a text without addresses in memory, which differ between processes."""
    return re.sub("0x[0-9a-f]+", "0x", text)


def say(line: str) -> None:
    """Write a line to the output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer each line of the input."""
    say("C" if NATIVE else "Python")
    sys.setswitchinterval(1e-6)
    logger = logging.getLogger("otel_meta")
    logger.propagate = False
    for line in sys.stdin:
        log, script = LogLines(), Script()
        logger.addHandler(log)
        script.run(json.loads(line))
        logger.removeHandler(log)
        say(json.dumps([script.result(), sorted(log.lines)]))


if __name__ == "__main__":
    main()
