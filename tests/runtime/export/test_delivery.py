from __future__ import annotations

import logging
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from otel_meta.runtime.export.attempts import exporting
from otel_meta.runtime.export.delivery import DeliveryMonitor
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.signals import SIGNALS, Signal
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.testing import OtlpReceiver, capture
from tests.runtime.export.watched_exports import WatchedExport, logged

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
    "OTEL_EXPORTER_OTLP_TIMEOUT": f"{OTLP_TIMEOUT * 1000:.0f}",
}
FREQUENT = {
    "OTEL_METRIC_EXPORT_INTERVAL": "50",
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    "OTEL_BLRP_SCHEDULE_DELAY": "50",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "200",
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


class FakeBuffer:
    """A number of items that wait for their export."""

    def __init__(self, items: int) -> None:
        self.items = items

    def release(self, items: int) -> None:
        """Release items."""
        self.items -= items

    def waiting(self) -> int:
        """Return the number of items."""
        return self.items


class FakeExporter:
    """An exporter that logs messages, raises errors, and then succeeds or fails."""

    def __init__(self, *acts: str | Exception, delivers: bool = True) -> None:
        self.delivers = delivers
        self._acts = acts

    def export(self, batch: object) -> SpanExportResult:
        """Export nothing, with the result that is set."""
        del batch
        for act in self._acts:
            if isinstance(act, Exception):
                raise act
            exporter_logger().error(act)
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

        assert ("WARNING", ("INFO", "telemetry is exported again")) == (level, again)
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

    def test_items_leave_buffer_before_exporter_runs_even_if_it_raises(self) -> None:
        """The items of a batch leave the buffer before the exporter runs, even if it raises."""
        buffer = FakeBuffer(3)
        exporter = DeliveryMonitor(Faults()).watch(FakeExporter(OSError("broken")), "logs", buffer)
        exporter.export(["a", "b"])

        assert 1 == buffer.items

    @pytest.mark.parametrize("delivers", [True, False])
    def test_callback_gets_result(self, delivers: bool) -> None:
        """A callback gets the result of an export."""
        results: list[bool] = []
        exporter = DeliveryMonitor(Faults()).watch(
            FakeExporter(delivers=delivers), "metrics", on_result=results.append
        )
        exporter.export(["a"])

        assert [delivers] == results

    def test_other_methods_of_exporter_are_called_unchanged(self) -> None:
        """Other methods of the exporter are called unchanged."""
        exporter = DeliveryMonitor(Faults()).watch(FakeExporter(), "logs")

        assert 7 == exporter.force_flush(timeout_millis=7)

    def test_thread_exports_nothing_after_export(self) -> None:
        """After an export, even one that raises, the thread counts as exporting nothing."""
        exporter = DeliveryMonitor(Faults()).watch(FakeExporter(OSError("broken")), "logs")
        exporter.export(["a"])

        assert exporting.get() is None

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

    def test_cause_is_first_message_of_failed_export(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The cause is the first message that the exporter logs during the failed export."""
        monitor, fake = DeliveryMonitor(Faults()), FakeExporter("no route", "retrying in 1 s")
        exporter = monitor.watch(fake, "traces")
        monitor.install()
        exporter_logger().error("of no export")
        fake.delivers = False
        exporter.export(["a"])
        monitor.uninstall()
        ((_, message),) = logged(caplog)

        assert message.startswith("cannot export traces: no route; the application goes on")

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

    def test_empty_message_of_exporter_is_no_cause(self, caplog: pytest.LogCaptureFixture) -> None:
        """An empty message of an exporter is no cause."""
        monitor = DeliveryMonitor(Faults())
        exporter = monitor.watch(FakeExporter("", delivers=False), "logs")
        monitor.install()
        exporter.export(["a"])
        monitor.uninstall()

        ((_, message),) = logged(caplog)

        assert "cannot export logs: no answer yet" in message

    def test_messages_reach_application_log_after_uninstall(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """After uninstalling, messages of exporters reach the application's log again."""
        monitor = DeliveryMonitor(Faults())
        monitor.install()
        monitor.uninstall()
        exporter_logger().error("no route")

        assert "no route" in caplog.messages

    def test_messages_stay_out_of_log_as_long_as_one_monitor_is_installed(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Messages of exporters stay out of the log as long as one monitor is installed."""
        first, second = DeliveryMonitor(Faults()), DeliveryMonitor(Faults())
        first.install()
        second.install()
        first.uninstall()
        exporter_logger().error("no route")
        second.uninstall()

        assert [] == caplog.messages

    def test_shutdown_leaves_nothing_on_loggers_of_exporters(self) -> None:
        """A shutdown leaves nothing on the loggers of the exporters."""
        with capture() as captured:
            during = len(logging.getLogger("opentelemetry.exporter").handlers)
            captured.telemetry.shutdown()
        logger = logging.getLogger("opentelemetry.exporter")

        assert (1, [], True) == (during, logger.handlers, logger.propagate)


class StuckExporter:
    """An exporter that logs its trouble, and waits for an event."""

    def __init__(self) -> None:
        self.entered, self.release = Event(), Event()

    def export(self, _batch: object) -> SpanExportResult:
        """Wait, and fail."""
        exporter_logger().error("no route")
        self.entered.set()
        self.release.wait(60)
        return SpanExportResult.FAILURE


@pytest.fixture
def stuck() -> Iterator[StuckExporter]:
    """An exporter that waits until the end of the test."""
    exporter = StuckExporter()
    yield exporter
    exporter.release.set()


class TestFinish:
    def finished(self, stuck: StuckExporter, *, in_time: bool) -> DeliveryMonitor:
        """Return a monitor that finished while two items are exported and five wait."""
        monitor = DeliveryMonitor(Faults())
        exporter = monitor.watch(stuck, "logs", FakeBuffer(7))
        monitor.install()
        thread = Thread(target=exporter.export, args=(["a", "b"],))
        thread.start()
        stuck.entered.wait(20)
        monitor.exports.stop(1)
        monitor.finish(in_time=in_time)
        monitor.uninstall()
        stuck.release.set()
        thread.join()
        return monitor

    def test_items_under_way_and_in_buffers_are_logged_with_cause(
        self, stuck: StuckExporter, caplog: pytest.LogCaptureFixture
    ) -> None:
        """At the end, the items under way and in buffers are logged with a cause."""
        self.finished(stuck, in_time=False)
        ((_, message),) = logged(caplog)

        assert message.startswith(
            "telemetry did not finish within 0.0 s; cannot export logs: no route"
        )
        assert message.endswith("; lost: log records 7")

    def test_items_under_way_and_in_buffers_are_counted_once(self, stuck: StuckExporter) -> None:
        """At the end, the items under way and in buffers are counted, and not again later."""
        monitor = self.finished(stuck, in_time=False)

        assert 7.0 == monitor.faults.count()

    def test_nothing_is_logged_without_losses(self, caplog: pytest.LogCaptureFixture) -> None:
        """Without losses, nothing is logged at the end."""
        monitor = DeliveryMonitor(Faults())
        monitor.watch(FakeExporter(), "traces").export(["a"])
        monitor.exports.stop(1)
        monitor.finish(in_time=True)

        assert [] == logged(caplog)

    def test_failure_while_process_stops_is_logged_with_losses_alone(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A failure while the process stops is logged once, with the losses."""
        monitor = DeliveryMonitor(Faults())
        monitor.exports.stop(1)
        monitor.watch(FakeExporter(OSError("broken")), "traces").export(["a", "b"])
        monitor.report(in_time=True)
        monitor.finish(in_time=True)
        ((_, message),) = logged(caplog)

        assert message == (
            "telemetry is shut down; cannot export traces: OSError: broken; lost: spans 2"
        )


class TestFork:
    def test_child_begins_without_exports_and_outages_of_its_parent(
        self, stuck: StuckExporter
    ) -> None:
        """A forked child begins without the exports, the outage and the stop of its parent."""
        monitor = DeliveryMonitor(Faults())
        exporter = monitor.watch(stuck, "logs", FakeBuffer(2))
        thread = Thread(target=exporter.export, args=(["a", "b"],))
        thread.start()
        stuck.entered.wait(20)
        monitor.watch(FakeExporter(delivers=False), "traces").export(["a"])
        monitor.exports.stop()
        counted = monitor.faults.count()
        if (child := os.fork()) == 0:
            monitor.finish(in_time=True)
            is_new = (False, counted) == (monitor.exports.is_stopping, monitor.faults.count())
            os._exit(0 if is_new else 1)

        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stuck.release.set()
        thread.join()


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
            eventually(
                lambda: shop.get("/").status_code == 200 and count("telemetry is exported again")
            )
            eventually(lambda: sink.spans() and sink.metrics() and sink.log_records())
            shop.stop()

        assert (1, 1) == (warnings, count("cannot export"))
        assert 1 == count("telemetry is exported again")
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
        (event,) = run.events("cannot export")
        assert event.startswith("telemetry is shut down; cannot export ")
        assert event.endswith("; lost: spans 1, exports of metrics 1, log records 1")
        assert run.seconds < BOUND


class TestStop:
    @pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
    def test_stop_ends_pause_between_retries_if_nobody_listens(
        self, closed_port: int, protocol: str, eventually: Eventually
    ) -> None:
        """If nobody listens, a stop ends the pause between two retries at once."""
        variables = {"OTEL_EXPORTER_OTLP_TIMEOUT": "60000", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        export = WatchedExport("traces", f"http://127.0.0.1:{closed_port}", **variables)
        thread = Thread(target=export.send)
        thread.start()
        exports = export.monitor.exports
        eventually(lambda: [each for each in exports.under_way if each.cause])
        exports.stop(60)
        thread.join(30)

        assert not thread.is_alive()
        assert 5.0 == export.counted("undelivered")

    @pytest.mark.parametrize("stop", [Telemetry.drain, Telemetry.shutdown])
    def test_stop_does_not_wait_for_receiver_that_does_not_listen(
        self, closed_port: int, stop: Callable[[Telemetry], object]
    ) -> None:
        """Neither a drain nor a shutdown waits for a receiver that does not listen."""
        url = f"http://127.0.0.1:{closed_port}"
        with capture(otlp_endpoint=url, environ={}, shutdown_timeout=60) as captured:
            began = time.monotonic()
            stop(captured.telemetry)

        assert time.monotonic() - began < 5


class TestBlackHole:
    def test_collector_that_accepts_connections_and_never_answers_does(
        self, script: Callable[..., Run], black_hole: str
    ) -> None:
        """A Collector that accepts connections and never answers does not delay a program's end."""
        run = script(ONCE, OTEL_EXPORTER_OTLP_ENDPOINT=black_hole, **RETRYING)

        assert (0, "") == (run.code, run.stderr)
        (event,) = run.events("cannot export")
        assert event.startswith("telemetry did not finish within 0.3 s; cannot export ")
        assert f" to {black_hole}/v1/" in event
        lost = event.partition("; lost: ")[2].split(", ")
        assert {"spans 1", "log records 1"} <= set(lost)
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
        assert 1 == sum("did not finish within 0.3 s" in line["event"] for line in shop.lines())
