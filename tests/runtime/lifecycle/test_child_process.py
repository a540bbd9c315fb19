"""Children of billiard, which is not installed here; real children are in test_process_ends."""

from __future__ import annotations

import multiprocessing.util  # noqa: F401 - billiard imports it
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from otel_meta.runtime.lifecycle.child_process import ChildExit, is_multiprocessing_child


class WorkerProcess:
    """A child of billiard's pool, as `billiard.process.current_process` returns it."""

    def __init__(self, on_exit: Callable[..., object] | None) -> None:
        self._target = SimpleNamespace(on_exit=on_exit)


def enter(monkeypatch: pytest.MonkeyPatch, on_exit: Callable[..., object] | None) -> Any:
    """Make this process a worker of billiard's pool; return the worker."""
    process = WorkerProcess(on_exit)
    module = SimpleNamespace(current_process=lambda: process)
    monkeypatch.setitem(sys.modules, "billiard.process", module)
    return process._target


class TestBilliard:
    def test_worker_of_pool_is_child(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker of billiard's pool is a child, and this process is none."""
        before = is_multiprocessing_child()
        enter(monkeypatch, None)

        assert (False, True) == (before, is_multiprocessing_child())

    def test_worker_calls_function_after_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker calls the function after the pool's own function, even if that one raises."""
        called: list[object] = []

        def own(*arguments: int) -> None:
            called.append(arguments)
            raise ValueError

        worker = enter(monkeypatch, own)
        child_exit = ChildExit(lambda: called.append("export"))
        with pytest.raises(ValueError):  # noqa: PT011 - the pool's own error
            worker.on_exit(5, 0)
        child_exit.cancel()

        assert [(5, 0), "export"] == called

    def test_cancelled_function_is_not_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A cancelled function is not called."""
        called: list[str] = []
        worker = enter(monkeypatch, None)
        ChildExit(lambda: called.append("export")).cancel()
        worker.on_exit(5, 0)

        assert [] == called
