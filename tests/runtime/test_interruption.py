from __future__ import annotations

import ast
import builtins
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

import otel_meta
from otel_meta.runtime.interruption import (
    raised_by_signal_handler,
    reraise_interruption,
    suppress_faults,
)
from otel_meta.testing import capture


class Limit(Exception):
    """The time limit of a task."""


class Queue:
    """A task queue whose handlers are methods."""

    def expire(self, _signum: int, _frame: FrameType | None) -> None:
        """End the task."""
        raise Limit

    def __call__(self, *_: object) -> None:
        """End the task."""
        raise Limit


def expire(*_: object) -> None:
    """End the task."""
    raise Limit


def expire_by_helper(signum: int, frame: FrameType | None) -> None:
    """End the task in a function that receives nothing."""
    del signum
    raise_limit()
    assert frame


def raise_limit() -> None:
    """Raise the time limit."""
    raise Limit


def expire_after(_seconds: int, *_: object) -> None:
    """End the task."""
    raise Limit


HANDLERS = [
    Queue().expire,
    Queue(),
    expire,
    expire_by_helper,
    partial(expire_after, 5),
    lambda _signum, _frame: raise_limit(),
]


@pytest.fixture
def own_signal() -> Iterator[signal.Signals]:
    """Return a signal, whose handler is restored after the test."""
    before = signal.getsignal(signal.SIGUSR1)
    yield signal.SIGUSR1
    signal.signal(signal.SIGUSR1, before)


def caught(work: Callable[[], object]) -> Exception:
    """Return what a function raises."""
    with pytest.raises(Exception) as info:  # noqa: PT011 - any exception
        work()
    return info.value


class TestRaisedBySignalHandler:
    @pytest.mark.parametrize("handler", HANDLERS)
    def test_exception_of_handler_is_known_wherever_it_interrupts(
        self, handler: Callable[[int, FrameType | None], None], own_signal: signal.Signals
    ) -> None:
        """An exception of a handler is known, in the catching function and in what it calls."""
        signal.signal(own_signal, handler)

        def deep() -> None:
            signal.raise_signal(own_signal)

        for work in (deep, partial(signal.raise_signal, own_signal), deep):
            assert raised_by_signal_handler(caught(work))

    def test_handler_that_removes_itself_is_known(self, own_signal: signal.Signals) -> None:
        """A handler that removes itself before it raises is known."""

        def once(signum: int, _frame: FrameType | None) -> None:
            signal.signal(signum, signal.SIG_DFL)
            raise Limit

        signal.signal(own_signal, once)

        assert raised_by_signal_handler(caught(partial(signal.raise_signal, own_signal)))

    @pytest.mark.parametrize("work", [raise_limit, partial(int, "x")])
    def test_exception_of_other_code_is_not_of_handler(self, work: Callable[[], object]) -> None:
        """An exception of other code is not taken for one of a handler."""
        assert not raised_by_signal_handler(caught(work))


class TestReraiseInterruption:
    def test_exception_of_handler_is_raised_again_unchanged(
        self, own_signal: signal.Signals
    ) -> None:
        """An exception of a handler is raised again unchanged."""
        signal.signal(own_signal, expire)
        error = caught(partial(signal.raise_signal, own_signal))

        assert error is caught(partial(reraise_interruption, error))

    def test_other_exception_is_left_to_caller(self) -> None:
        """Another exception is left to the caller."""
        reraise_interruption(caught(raise_limit))


class TestSuppressFaults:
    def test_exception_of_handler_is_not_suppressed(self, own_signal: signal.Signals) -> None:
        """An exception of a handler is not suppressed."""
        signal.signal(own_signal, expire)

        with pytest.raises(Limit), suppress_faults(Limit):
            signal.raise_signal(own_signal)

    def test_exception_of_other_code_is_suppressed(self) -> None:
        """An exception of other code is suppressed, if it is of the classes."""
        with suppress_faults(Limit):
            raise_limit()
        with pytest.raises(Limit), suppress_faults(OSError):
            raise_limit()


RUNTIME: Final = Path(otel_meta.__file__).parent / "runtime"
WITHOUT_HANDLERS: Final = {
    "bounded_threads.py": "a caller in another thread gets every error",
    "environment": "configure() reads the variables before there are tasks",
    "setting_variables.py": "configure() reads the variables before there are tasks",
    "event_loops.py": "the loop of the framework runs no code of a task",
    "export/otlp_answers.py": "exports run on threads of the package",
    "export/otlp_grpc.py": "exports run on threads of the package",
    "export/otlp_endpoint.py": "configure() reads the variables before there are tasks",
    "export/periodic.py": "a thread of the package",
    "fork.py": "every other object has to be reset as well",
    "prometheus/server.py": "threads of the package",
}
"""Files and folders in which no signal handler of a task raises, and why."""


class TimeLimit(TimeoutError):
    """A time limit that is a TimeoutError, and so an OSError, as in many tutorials."""


def exceed(_number: int, _frame: object) -> None:
    """Raise the time limit in a signal handler."""
    raise TimeLimit


def interrupted(*_: object, **__: object) -> None:
    """Stand for a system call that a signal interrupts."""
    signal.raise_signal(signal.SIGUSR1)


def swallowing(handler: ast.ExceptHandler) -> bool:
    """Return True if a handler catches errors of Python, and lets no interruption through."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {ast.unparse(kind) if kind else "BaseException" for kind in kinds}
    body = ast.unparse(ast.Module(handler.body, []))
    ends = isinstance(handler.body[-1], ast.Raise)
    return bool(names & vars(builtins).keys()) and not ends and "reraise_interruption" not in body


def swallowing_blocks(path: Path) -> Iterator[str]:
    """Yield the places in a file where an error of a signal handler is swallowed."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ExceptHandler():
                found = swallowing(node)
            case ast.Call(func=ast.Name("suppress")):
                found = any(ast.unparse(kind) in vars(builtins) for kind in node.args)
            case _:
                continue
        if found:
            yield f"{path.relative_to(RUNTIME)}:{node.lineno}"


class TestPackage:
    def test_every_handler_of_errors_lets_interruptions_through(self) -> None:
        """Every handler of Python's errors lets interruptions through, where one can arrive."""
        paths = [
            path
            for path in RUNTIME.rglob("*.py")
            if not any(str(path.relative_to(RUNTIME)).startswith(n) for n in WITHOUT_HANDLERS)
        ]

        assert [] == [place for path in paths for place in swallowing_blocks(path)]

    @pytest.mark.parametrize("function", ["open", "stat", "listdir", "unlink"])
    def test_time_limit_in_scan_of_workers_reaches_caller(
        self, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A time limit that ends a system call of a scan reaches the caller of a page."""
        with capture(environ={"OTEL_META_MULTIPROCESS_DIR": str(tmp_path)}) as captured:
            assert captured.telemetry.scrape
            captured.telemetry.scrape.render()
            former = signal.signal(signal.SIGUSR1, exceed)
            with monkeypatch.context() as patched:
                patched.setattr(os, function, interrupted)
                with pytest.raises(TimeLimit):
                    captured.telemetry.scrape.render()
            signal.signal(signal.SIGUSR1, former)
