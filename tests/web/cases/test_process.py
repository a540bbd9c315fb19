from __future__ import annotations

from collections.abc import Callable

from otel_meta.testing import OtlpReceiver
from tests.conftest import Service

SHOP = """
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry import trace

import otel_meta


@asynccontextmanager
async def lifespan(app):
    with trace.get_tracer("shop").start_as_current_span("migration"):
        pass
    if FAILS:
        raise RuntimeError("no database")
    yield


app = FastAPI(lifespan=lifespan)
otel_meta.instrument_fastapi(app)
"""


class TestEnd:
    def test_failed_start_exports_spans_and_keeps_exit_code(
        self, service: Callable[..., Service]
    ) -> None:
        """An application whose start-up fails exports its spans, and exits as without telemetry."""
        with OtlpReceiver() as receiver:
            endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
            shop = service(f"FAILS = True{SHOP}", **endpoint)
            code = shop.process.wait(20)

        assert 3 == code
        assert ["migration"] == [each.span.name for each in receiver.spans()]

    def test_hanging_collector_delays_end_by_shutdown_timeout(
        self, service: Callable[..., Service], black_hole: str
    ) -> None:
        """A Collector that hangs delays the end by the shutdown timeout, with one warning."""
        shop = service(
            f"FAILS = False{SHOP}",
            OTEL_EXPORTER_OTLP_ENDPOINT=black_hole,
            OTEL_META_SHUTDOWN_TIMEOUT="1",
        )
        seconds = shop.stop()

        assert 1 <= seconds < 4
        assert 1 == len([line for line in shop.lines(level="warning") if "1" in line["event"]])
