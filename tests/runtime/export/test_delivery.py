from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator
from threading import Timer
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from otel_meta.runtime.export.delivery import DeliveryMonitor
from otel_meta.runtime.recording.faults import Faults
from otel_meta.testing import OtlpReceiver

if TYPE_CHECKING:
    from tests.conftest import Eventually, Run, Service

BOUND = 8.0
"""Seconds in which a process has to be gone, when it may take five to say its last words."""

SHOP = """
import structlog
from fastapi import FastAPI

import otel_meta

telemetry = otel_meta.configure("shop", namespace="acme")
app = FastAPI()
otel_meta.instrument(app, telemetry)


@app.get("/")
async def sell() -> str:
    structlog.get_logger("shop").info("sold")
    return "sold"
"""
ONCE = """
import structlog
from opentelemetry import trace

import otel_meta

telemetry = otel_meta.configure("shop", namespace="acme")
with trace.get_tracer("shop").start_as_current_span("selling"):
    structlog.get_logger("shop").info("sold")
"""
SHORT = {
    "OTEL_METRIC_EXPORT_INTERVAL": "200",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5",
}


class Bench:
    """An exporter that is watched, and a receiver that can be told to refuse."""

    def __init__(self, sink: OtlpReceiver) -> None:
        self.sink = sink
        self.faults = Faults()
        self.outage = DeliveryMonitor(self.faults)
        self.outage.listen()
        exporter = OTLPSpanExporter(endpoint=f"{sink.endpoint}/v1/traces", timeout=5)
        self.outage.watch(exporter, "traces")
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(exporter))

    def export(self, status: int) -> None:
        """Export a span, which is answered with this status."""
        self.sink.status = status
        self.provider.get_tracer("test").start_span("span").end()


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and words of what otel_meta itself said."""
    return [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "otel_meta"]


class Switch:
    """An exporter that delivers or not, as it is told, or raises."""

    def __init__(self, error: Exception | None = None, *, delivers: bool = True) -> None:
        self.delivers = delivers
        self._error = error

    def export(self, *_: object) -> SpanExportResult:
        """Say what became of it."""
        if self._error is not None:
            raise self._error
        return SpanExportResult.SUCCESS if self.delivers else SpanExportResult.FAILURE


@pytest.fixture(scope="module")
def sink() -> Iterator[OtlpReceiver]:
    """A receiver."""
    with OtlpReceiver() as sink:
        yield sink


@pytest.fixture
def bench(sink: OtlpReceiver) -> Iterator[Bench]:
    """An exporter that is watched."""
    bench = Bench(sink)
    yield bench
    bench.outage.leave()
    bench.provider.shutdown()


class TestWatch:
    def test_delivered(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        """While everything arrives nothing is said and nothing counted."""
        before = len(bench.sink.spans())
        with caplog.at_level(logging.INFO):
            bench.export(200)
            bench.export(200)

        assert ([], 0.0) == (said(caplog), bench.faults.count())
        assert 2 == len(bench.sink.spans()) - before

    def test_outage(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        """An outage is one warning when it begins and one line when it ends; failures count."""
        with caplog.at_level(logging.INFO):
            for status in (200, 400, 400, 400, 200, 200):
                bench.export(status)

        (level, _), again = said(caplog)

        assert ("WARNING", ("INFO", "exporting again")) == (level, again)
        assert {("export of traces", "undelivered"): 3.0} == {
            cell.labels: cell.value for cell in bench.faults.family.cells()
        }

    @pytest.mark.parametrize(("batch", "counted"), [(["a", "b", "c"], 3.0), (object(), 1.0)])
    def test_amount(self, batch: object, counted: float) -> None:
        """Spans and log records are counted each; an export of metrics as one, for it heals."""
        faults = Faults()
        switch = Switch(delivers=False)
        DeliveryMonitor(faults).watch(switch, "traces")
        switch.export(batch)

        assert counted == faults.count()

    def test_every_outage(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        """Each outage has its own two lines."""
        with caplog.at_level(logging.INFO):
            for status in (400, 200, 400, 200):
                bench.export(status)

        assert ["WARNING", "INFO", "WARNING", "INFO"] == [level for level, _ in said(caplog)]

    def test_reason(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        """The warning gives the exporter's reason, and where further failures are counted."""
        with caplog.at_level(logging.INFO):
            bench.export(418)
        ((_, message),) = said(caplog)

        assert message.startswith("cannot export traces: ")
        assert "418" in message
        assert "otel_meta_faults_total" in message

    def test_reason_of_this(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        """The reason is that of this outage, not of something that passed by itself before."""
        with caplog.at_level(logging.INFO):
            healing = Timer(0.2, lambda: setattr(bench.sink, "status", 200))
            healing.start()
            bench.export(503)  # which is tried again, and then delivered
            healing.join()
            bench.export(418)
        ((_, message),) = said(caplog)

        assert "418" in message

    def test_signals(self, caplog: pytest.LogCaptureFixture) -> None:
        """An outage of several signals is one outage, which ends when all of them get through."""
        outage = DeliveryMonitor(Faults())
        exporters = {what: Switch() for what in ("traces", "metrics", "logs")}
        for what, exporter in exporters.items():
            outage.watch(exporter, what)
        with caplog.at_level(logging.INFO):
            for delivers in (True, False, True):
                for exporter in exporters.values():
                    exporter.delivers = delivers
                    exporter.export()

        assert ["WARNING", "INFO"] == [level for level, _ in said(caplog)]

    def test_raises(self, caplog: pytest.LogCaptureFixture) -> None:
        """An exporter that raises is an outage too, and its error the reason."""
        exporter, faults = Switch(OSError("broken")), Faults()
        DeliveryMonitor(faults).watch(exporter, "logs")
        with caplog.at_level(logging.WARNING, "otel_meta"):
            for _ in range(3):
                exporter.export()
        ((_, message),) = said(caplog)

        assert "OSError: broken" in message
        assert 3 == faults.count()


class TestListen:
    def test_kept(self, caplog: pytest.LogCaptureFixture) -> None:
        """What an exporter of the SDK says is not passed on."""
        outage = DeliveryMonitor(Faults())
        outage.listen()
        logging.getLogger("opentelemetry.exporter.otlp").error("no route\nretrying")
        outage.leave()

        assert [] == caplog.messages

    def test_empty(self, caplog: pytest.LogCaptureFixture) -> None:
        """A message without any words does no harm."""
        outage, exporter = DeliveryMonitor(Faults()), Switch(delivers=False)
        outage.watch(exporter, "logs")
        outage.listen()
        logging.getLogger("opentelemetry.exporter.otlp").error("")
        exporter.export()
        outage.leave()

        ((_, message),) = said(caplog)

        assert "no reason given" in message

    def test_leave(self, caplog: pytest.LogCaptureFixture) -> None:
        """Afterwards it is passed on as before."""
        outage = DeliveryMonitor(Faults())
        outage.listen()
        outage.leave()
        logging.getLogger("opentelemetry.exporter.otlp").error("no route")

        assert ["no route"] == caplog.messages


class TestUnreachable:
    def test_outage(
        self, service: Callable[..., Service], closed_port: int, eventually: Eventually
    ) -> None:
        """Without its Collector an application runs, says so once, and once that it is back."""
        url = f"http://127.0.0.1:{closed_port}"
        shop = service(SHOP, OTEL_EXPORTER_OTLP_ENDPOINT=url, **SHORT)

        def told(words: str) -> int:
            return sum(words in line["event"] for line in shop.lines())

        eventually(lambda: shop.get("/").status_code == 200 and told("cannot export"))
        time.sleep(1.5)  # several more exports of every signal
        warnings = told("cannot export")
        with OtlpReceiver(closed_port) as sink:
            eventually(lambda: shop.get("/").status_code == 200 and told("exporting again"))
            eventually(lambda: sink.spans() and sink.metrics() and sink.log_records())
            seconds = shop.stop()

        assert (1, 1) == (warnings, told("cannot export"))
        assert 1 == told("exporting again")
        assert "" == shop.stderr
        assert seconds < BOUND

    def test_stop(self, service: Callable[..., Service], closed_port: int) -> None:
        """Without its Collector an application stops in time when it is told to."""
        variables = {"OTEL_META_SHUTDOWN_TIMEOUT": "1"}
        url = f"http://127.0.0.1:{closed_port}"
        shop = service(SHOP, OTEL_EXPORTER_OTLP_ENDPOINT=url, **variables)
        answer = shop.get("/")

        assert 200 == answer.status_code
        assert shop.stop() < BOUND

    @pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
    def test_end(self, script: Callable[..., Run], closed_port: int, protocol: str) -> None:
        """A program that ends without its Collector ends in time, and says little."""
        run = script(
            ONCE,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{closed_port}",
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            OTEL_META_SHUTDOWN_TIMEOUT="1",
        )

        assert (0, "") == (run.code, run.stderr)
        assert "sold" == run.events()[0]
        assert 1 == len(run.events("did not finish within 1 s") + run.events("cannot export"))
        assert run.seconds < BOUND


class TestBlackHole:
    def test_end(self, script: Callable[..., Run], black_hole: str) -> None:
        """A Collector that takes connections and never answers holds no program up."""
        run = script(ONCE, OTEL_EXPORTER_OTLP_ENDPOINT=black_hole)

        assert (0, "") == (run.code, run.stderr)
        assert 1 == len(run.events("did not finish within 5 s"))
        assert run.seconds < BOUND

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_stop(self, service: Callable[..., Service], black_hole: str, number: int) -> None:
        """Nor does it hold up an application that is told to stop, in whichever way."""
        variables = {"OTEL_META_SHUTDOWN_TIMEOUT": "2.5"}
        shop = service(SHOP, OTEL_EXPORTER_OTLP_ENDPOINT=black_hole, **variables)
        answer = shop.get("/")

        assert 200 == answer.status_code
        assert shop.stop(number) < 2 * 2.5
