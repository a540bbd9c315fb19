"""Calls of the application that a signal handler interrupts with an exception."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracerProvider

from otel_meta.runtime.export.deadline import run_with_deadline
from otel_meta.runtime.export.delivery import DeliveryMonitor
from otel_meta.runtime.lifecycle.global_providers import GlobalTracerProvider
from otel_meta.runtime.prometheus.declared_metrics import DeclaredMetrics
from otel_meta.runtime.prometheus.families import Metadata
from otel_meta.runtime.prometheus.negotiation import negotiate_format
from otel_meta.runtime.prometheus.page import render_page
from otel_meta.runtime.prometheus.timed_collection import Source, TimedCollection
from otel_meta.runtime.recording.faults import Faults
from otel_meta.web.readiness import Readiness


def interrupt(*_: object, **__: object) -> Any:
    """Let the time limit expire inside of this function."""
    signal.raise_signal(signal.SIGALRM)


def ignore(*_: object) -> None:
    """Take the report of a fault."""


class Family:
    """A metric family whose rendering is interrupted."""

    metadata = Metadata("acme", "gauge", "A level.")
    chunks = series = staticmethod(interrupt)


class Exporter:
    """An exporter that is interrupted."""

    export = staticmethod(interrupt)


def use_provider() -> None:
    """Change the global provider while a library's instrument is created."""
    provider = GlobalTracerProvider()
    provider.use(NoOpTracerProvider())
    follower: Any = provider.get_tracer("library")
    follower.find = interrupt
    provider.use(NoOpTracerProvider())


async def check() -> bool:
    """Check nothing, interrupted."""
    interrupt()
    return True


CALLS: dict[str, Callable[[], object]] = {
    "collect declared metrics": lambda: list(DeclaredMetrics(interrupt, (), ignore).families()),
    "render a page": lambda: render_page([Family()], negotiate_format(""), ignore),
    "collect without threads": lambda: TimedCollection(ignore, 5).collect(
        [Source("key", "name", interrupt)]
    ),
    "flush without threads": lambda: run_with_deadline(5, {"flush": interrupt}, Faults()),
    "export": lambda: DeliveryMonitor(Faults()).watch(Exporter(), "traces").export([]),
    "change the global provider": use_provider,
    "check the readiness": lambda: asyncio.run(Readiness(check, Faults()).ready()),
}


@pytest.fixture(params=[ValueError, TimeoutError, RuntimeError, KeyError])
def limit(request: pytest.FixtureRequest) -> Iterator[type[Exception]]:
    """Return the exception of a time limit, whose handler is removed after the test."""
    kind: type[Exception] = request.param

    def expire(_signum: int, _frame: object) -> None:
        raise kind("the time limit")

    before = signal.signal(signal.SIGALRM, expire)
    yield kind
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse threads, so that all work is done in the thread of the caller."""

    def refuse(_thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)


@pytest.mark.usefixtures("no_threads", "untraced")
@pytest.mark.parametrize("call", CALLS)
def test_time_limit_reaches_application(call: str, limit: type[Exception]) -> None:
    """A time limit inside of any call of the application reaches the application."""
    with pytest.raises(limit, match="the time limit"):
        CALLS[call]()
