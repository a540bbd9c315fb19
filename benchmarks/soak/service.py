"""The service of the soak test: every kind of recording, under signals and forks.

Plain numbers beside the instruments are the account that the metrics are compared with.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections import Counter as Account
from types import FrameType
from typing import Any, Final, Literal

import structlog
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from otel_meta import (
    Counter,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    configure,
    instrument_fastapi,
    labels,
)

_SERIES: Final = 300
"""Tenants, and so series of the gauge."""


@labels
class Source:
    """The code that records."""

    source: Literal["request", "signal", "child"]


@labels
class Tenant:
    """A customer."""

    tenant: str


class Soak(MetaRepo, name="soak", owner="soak"):
    """The recorded metrics."""

    events = Counter("soak.events", "Recorded events.", Source)
    duration = Histogram(
        "soak.work.duration", "Time of work.", NoLabels, unit="s", buckets=(0.001, 0.01, 0.1)
    )
    level = Gauge("soak.level", "A level, of which series come and go.", Tenant)


account: Final = Account[str]()
"""Events and spans of this process."""


class SpanCounter(SpanProcessor):
    """Counts the spans that exporters receive."""

    def on_end(self, span: ReadableSpan) -> None:
        """Count a span."""
        if span.context is not None and span.context.trace_flags.sampled:
            account["span"] += 1


app = FastAPI()
telemetry = configure("soak", Soak, metrics=["prometheus", "otlp"], metric_interval=1)
soak = telemetry.bind(Soak)
instrument_fastapi(app, telemetry)
if telemetry.traces is not None:
    telemetry.traces.provider.add_span_processor(SpanCounter())
log = structlog.get_logger("soak")
standard_log = logging.getLogger("soak.standard")


def on_signal(_number: int, _frame: FrameType | None) -> None:
    """Record and log inside a signal handler."""
    soak.events.add(1, source="signal")
    account["signal"] += 1
    log.info("signal")


signal.signal(signal.SIGUSR1, on_signal)


@app.get("/work/{number}")
async def work(number: int) -> dict[str, int]:
    """Record, log, create and remove a series."""
    soak.events.add(1, source="request")
    account["request"] += 1
    with soak.duration.time():
        await asyncio.sleep(0)
    tenant = f"tenant-{number % _SERIES}"
    soak.level.set(number, tenant=tenant)
    if not number % 50:
        soak.level.remove(tenant=tenant)
    log.info("worked", number=number)
    standard_log.info("worked %d", number)
    return {"pid": os.getpid()}


@app.get("/fork")
async def fork() -> dict[str, int]:
    """Record and log in a forked child."""
    child = os.fork()
    if not child:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        soak.events.add(1, source="child")
        log.info("child")
        os._exit(0)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    account["child"] += status == 0
    return {"status": status}


@app.get("/account")
async def read_account() -> dict[str, Any]:
    """Return the account of this process."""
    return {"pid": os.getpid(), **account}
