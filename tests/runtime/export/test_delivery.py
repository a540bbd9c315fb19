from __future__ import annotations

import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from otel_meta.runtime.export.delivery import DeliveryMonitor
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.signals import SIGNALS, Signal
from otel_meta.testing import OtlpReceiver

if TYPE_CHECKING:
    from tests.conftest import Eventually, Run, Service

OTLP_TIMEOUT = 50.0
"""Seconds that an exporter tries, far more than a busy machine needs to end a process."""
BOUND = 15.0
"""Seconds in which a process ends if it does not wait for its exporters."""

SHOP = """
import structlog
from fastapi import FastAPI

import otel_meta

telemetry = otel_meta.configure("shop", namespace="acme")
app = FastAPI()
otel_meta.instrument_fastapi(app, telemetry)


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
RETRYING = {
    "OTEL_META_SHUTDOWN_TIMEOUT": "0.3",
    "OTEL_EXPORTER_OTLP_TIMEOUT": str(OTLP_TIMEOUT),
}
FREQUENT = {
    "OTEL_METRIC_EXPORT_INTERVAL": "50",
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    "OTEL_BLRP_SCHEDULE_DELAY": "50",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "0.2",
    "OTEL_METRICS_EXPORTER": "otlp,prometheus",
    "OTEL_META_METRICS_IN_APP": "true",
}


class Bench:
    """A watched exporter, and a receiver that answers with a given status."""

    def __init__(self, sink: OtlpReceiver) -> None:
        self.sink = sink
        self.faults = Faults()
        self.monitor = DeliveryMonitor(self.faults)
        self.monitor.install()
        exporter = OTLPSpanExporter(endpoint=f"{sink.endpoint}/v1/traces", timeout=5)
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(
            SimpleSpanProcessor(self.monitor.watch(exporter, "traces"))
        )

    def export(self, status: int) -> None:
        """Export a span, which the receiver answers with a status."""
        self.sink.status = status
        self.provider.get_tracer("test").start_span("span").end()


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return level and message of each line that otel_meta logged on this thread."""
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "otel_meta" and record.thread == threading.get_ident()
    ]


class FakeExporter:
    """An exporter that succeeds, fails, or raises an error."""

    def __init__(self, error: Exception | None = None, *, delivers: bool = True) -> None:
        self.delivers = delivers
        self._error = error

    def export(self, batch: object) -> SpanExportResult:
        """Export nothing, with the result that is set."""
        del batch
        if self._error is not None:
            raise self._error
        return SpanExportResult.SUCCESS if self.delivers else SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int) -> int:
        """Return the timeout."""
        return timeout_millis


def exporter_logger() -> logging.Logger:
    """Return the logger of an exporter of the SDK."""
    return logging.getLogger("opentelemetry.exporter.otlp")


@pytest.fixture(scope="module")
def sink() -> Iterator[OtlpReceiver]:
    """A receiver."""
    with OtlpReceiver() as sink:
        yield sink


@pytest.fixture
def bench(sink: OtlpReceiver) -> Iterator[Bench]:
    """A watched exporter."""
    bench = Bench(sink)
    yield bench
    bench.monitor.uninstall()
    bench.provider.shutdown()


class TestWatch:
    def test_successful_export_is_neither_logged_nor_counted(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A successful export is neither logged nor counted."""
        before = len(bench.sink.spans())
        with caplog.at_level(logging.INFO):
            bench.export(200)
            bench.export(200)

        assert ([], 0.0) == (logged(caplog), bench.faults.count())
        assert 2 == len(bench.sink.spans()) - before

    def test_outage_logs_one_warning_at_its_start_and_one_line(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An outage logs one warning at its start and one line at its end, and counts failures."""
        with caplog.at_level(logging.INFO):
            for status in (200, 400, 400, 400, 200, 200):
                bench.export(status)

        (level, _), again = logged(caplog)

        assert ("WARNING", ("INFO", "exporting again")) == (level, again)
        assert {("export of traces", "undelivered"): 3.0} == {
            cell.labels: cell.value for cell in bench.faults.family.cells()
        }

    @pytest.mark.parametrize(("batch", "counted"), [(["a", "b", "c"], 3.0), (object(), 1.0)])
    def test_each_undelivered_span_or_log_record_counts_failed_export(
        self, batch: object, counted: float
    ) -> None:
        """Each undelivered span or log record counts, a failed export of metrics counts once."""
        faults = Faults()
        exporter = DeliveryMonitor(faults).watch(FakeExporter(delivers=False), "traces")
        exporter.export(batch)

        assert counted == faults.count()

    def test_callback_gets_number_of_items_before_exporter_runs_even(self) -> None:
        """The callback gets the number of items before the exporter runs, even if it raises."""
        items: list[int] = []
        exporter = DeliveryMonitor(Faults()).watch(
            FakeExporter(OSError("broken")), "logs", items.append
        )
        exporter.export(["a", "b"])

        assert [2] == items

    def test_other_methods_of_exporter_are_called_unchanged(self) -> None:
        """Other methods of the exporter are called unchanged."""
        exporter = DeliveryMonitor(Faults()).watch(FakeExporter(), "logs")

        assert 7 == exporter.force_flush(timeout_millis=7)

    def test_wrapped_exporter_itself_stays_as_it_was(self) -> None:
        """The wrapped exporter itself stays as it was."""
        exporter, faults = FakeExporter(delivers=False), Faults()
        DeliveryMonitor(faults).watch(exporter, "logs")
        exporter.export(["a"])

        assert 0 == faults.count()

    def test_each_outage_logs_its_own_two_lines(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Each outage logs its own two lines."""
        with caplog.at_level(logging.INFO):
            for status in (400, 200, 400, 200):
                bench.export(status)

        assert ["WARNING", "INFO", "WARNING", "INFO"] == [level for level, _ in logged(caplog)]

    def test_warning_gives_reason_and_faults_metric(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The warning gives the exporter's reason, and the metric that counts further failures."""
        with caplog.at_level(logging.INFO):
            bench.export(418)
        ((_, message),) = logged(caplog)

        assert message.startswith("cannot export traces: ")
        assert "418" in message
        assert "otel_meta_faults_total" in message

    def test_reason_of_retry_that_succeeded_is_not_given_for_later(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The reason of a retry that succeeded is not given for a later outage."""
        monitor, fake = DeliveryMonitor(Faults()), FakeExporter()
        exporter = monitor.watch(fake, "traces")
        monitor.install()
        exporter_logger().warning("retrying in 1 s")
        exporter.export(["a"])
        exporter_logger().error("code 418")
        fake.delivers = False
        exporter.export(["a"])
        monitor.uninstall()
        ((_, message),) = logged(caplog)

        assert "cannot export traces: code 418;" in message

    def test_outage_of_several_signals_is_one_outage_which_ends(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An outage of several signals is one outage, which ends when all are delivered."""
        monitor = DeliveryMonitor(Faults())
        fakes = {signal: FakeExporter() for signal in SIGNALS}
        exporters = [monitor.watch(fake, signal) for signal, fake in fakes.items()]
        with caplog.at_level(logging.INFO):
            for delivers in (True, False, True):
                for fake, exporter in zip(fakes.values(), exporters, strict=True):
                    fake.delivers = delivers
                    exporter.export(["a"])

        assert ["WARNING", "INFO"] == [level for level, _ in logged(caplog)]

    def test_exporter_that_raises_causes_outage_whose_reason_is_error(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An exporter that raises causes an outage, whose reason is the error."""
        faults = Faults()
        exporter = DeliveryMonitor(faults).watch(FakeExporter(OSError("broken")), "logs")
        with caplog.at_level(logging.WARNING, "otel_meta"):
            for _ in range(3):
                exporter.export(["a"])
        ((_, message),) = logged(caplog)

        assert "OSError: broken" in message
        assert 3 == faults.count()


class TestInstall:
    def test_message_of_sdks_exporters_does_not_reach_applications_log(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A message of the SDK's exporters does not reach the application's log."""
        monitor = DeliveryMonitor(Faults())
        monitor.install()
        exporter_logger().error("no route\nretrying")
        monitor.uninstall()

        assert "no route" not in caplog.text

    def test_empty_message_of_exporter_is_no_reason(self, caplog: pytest.LogCaptureFixture) -> None:
        """An empty message of an exporter is no reason."""
        monitor = DeliveryMonitor(Faults())
        exporter = monitor.watch(FakeExporter(delivers=False), "logs")
        monitor.install()
        exporter_logger().error("")
        exporter.export(["a"])
        monitor.uninstall()

        ((_, message),) = logged(caplog)

        assert "no reason given" in message

    def test_messages_reach_application_log_after_uninstall(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """After uninstalling, messages of exporters reach the application's log again."""
        monitor = DeliveryMonitor(Faults())
        monitor.install()
        monitor.uninstall()
        exporter_logger().error("no route")

        assert "no route" in caplog.messages


def undelivered(shop: Service, signal: Signal) -> float:
    """Return the number of undelivered items of a signal, as a scrape shows it."""
    labels = rf'reason="undelivered",.*source="export of {signal}"'
    line = rf"otel_meta_faults_total{{.*{labels}.*}} (\S+)"
    value = re.search(line, shop.get("/metrics").text)
    return float(value[1]) if value else 0.0


class TestUnreachable:
    def test_application_without_collector_logs_outage_once(
        self, service: Callable[..., Service], closed_port: int, eventually: Eventually
    ) -> None:
        """Without its Collector an application answers, and logs the outage once."""
        url = f"http://127.0.0.1:{closed_port}"
        shop = service(SHOP, OTEL_EXPORTER_OTLP_ENDPOINT=url, **FREQUENT)

        def count(words: str) -> int:
            return sum(words in line["event"] for line in shop.lines())

        def failed_often() -> bool:
            assert 200 == shop.get("/").status_code
            return all(undelivered(shop, signal) >= 3 for signal in SIGNALS)

        eventually(failed_often)
        warnings = count("cannot export")
        with OtlpReceiver(closed_port) as sink:
            eventually(lambda: shop.get("/").status_code == 200 and count("exporting again"))
            eventually(lambda: sink.spans() and sink.metrics() and sink.log_records())
            shop.stop()

        assert (1, 1) == (warnings, count("cannot export"))
        assert 1 == count("exporting again")
        assert "" == shop.stderr

    def test_application_without_collector_stops_in_time(
        self, service: Callable[..., Service], closed_port: int
    ) -> None:
        """Without its Collector an application stops before its exporters give up."""
        url = f"http://127.0.0.1:{closed_port}"
        shop = service(SHOP, OTEL_EXPORTER_OTLP_ENDPOINT=url, **RETRYING)
        answer = shop.get("/")

        assert 200 == answer.status_code
        assert shop.stop() < BOUND

    @pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
    def test_program_without_collector_ends_in_time(
        self, script: Callable[..., Run], closed_port: int, protocol: str
    ) -> None:
        """Without its Collector a program ends before its exporters give up, with one warning."""
        run = script(
            ONCE,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{closed_port}",
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            **RETRYING,
        )

        assert (0, "") == (run.code, run.stderr)
        assert "sold" == run.events()[1]
        assert 1 == len(run.events("did not finish within 0.3 s") + run.events("cannot export"))
        assert run.seconds < BOUND


class TestBlackHole:
    def test_collector_that_accepts_connections_and_never_answers_does(
        self, script: Callable[..., Run], black_hole: str
    ) -> None:
        """A Collector that accepts connections and never answers does not delay a program's end."""
        run = script(ONCE, OTEL_EXPORTER_OTLP_ENDPOINT=black_hole, **RETRYING)

        assert (0, "") == (run.code, run.stderr)
        assert 1 == len(run.events("did not finish within 0.3 s"))
        assert run.seconds < BOUND

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_shutdown_timeout_is_spent_once(
        self, service: Callable[..., Service], black_hole: str, number: int
    ) -> None:
        """An application that gets a signal spends its shutdown timeout once, on draining."""
        shop = service(SHOP, OTEL_EXPORTER_OTLP_ENDPOINT=black_hole, **RETRYING)
        answer = shop.get("/")

        assert 200 == answer.status_code
        assert shop.stop(number) < BOUND
        assert {"telemetry did not finish within 0.3 s of shutdown; the rest is lost"} >= {
            line["event"] for line in shop.lines() if "did not finish" in line["event"]
        }
