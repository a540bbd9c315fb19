from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import structlog
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otel_meta.testing import CapturedTelemetry, OtlpReceiver, capture

if TYPE_CHECKING:
    from tests.conftest import Run


class Unwritable:
    """An object whose text raises an error."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class Counted:
    """An object that counts the calls of its `repr`, one for each rendering."""

    def __init__(self) -> None:
        self.times = 0

    def __repr__(self) -> str:
        self.times += 1
        return "counted"


class Sent(NamedTuple):
    """A log record as the receiver decoded it."""

    body: str
    severity: str
    attributes: dict[str, Any]
    trace_id: str
    span_id: str


def plain(value: AnyValue) -> Any:
    """Return an attribute's value without its type."""
    field = value.WhichOneof("value")
    return None if field is None else getattr(value, field)


class Bench:
    """Captured telemetry that also sends logs to a receiver."""

    def __init__(self, captured: CapturedTelemetry, sink: OtlpReceiver) -> None:
        self.captured = captured
        self._sink = sink
        self._before = len(sink.log_records())

    def sent(self) -> list[Sent]:
        """Flush, and return the records that the receiver decoded."""
        assert self.captured.telemetry.flush()
        return [
            Sent(
                record.body.string_value,
                record.severity_text,
                {a.key: plain(a.value) for a in record.attributes},
                record.trace_id.hex(),
                record.span_id.hex(),
            )
            for record in self._sink.log_records()[self._before :]
        ]


@pytest.fixture(scope="module")
def sink() -> Iterator[OtlpReceiver]:
    """A receiver."""
    with OtlpReceiver() as sink:
        yield sink


@pytest.fixture
def bench(sink: OtlpReceiver) -> Iterator[Bench]:
    """Telemetry that sends logs to a receiver."""
    exporters: dict[str, Any] = {"logs": "otlp", "traces": "none", "metrics": "none"}
    with capture(otlp_endpoint=sink.endpoint, **exporters) as captured:
        yield Bench(captured, sink)


class TestRecord:
    def test_event_is_body_of_record_and_other_fields_are_typed(self, bench: Bench) -> None:
        """The event is the body of a record, and the other fields are typed attributes."""
        structlog.get_logger("shop").warning("sold", item="a", price=1.5, count=2, last=True)

        assert [("sold", "WARNING", {"item": "a", "price": 1.5, "count": 2, "last": True})] == [
            sent[:3] for sent in bench.sent()
        ]

    def test_record_of_standard_library_has_its_extra_fields_as_attributes(
        self, bench: Bench
    ) -> None:
        """A record of the standard library has its extra fields as attributes, and no others."""
        logging.getLogger("shop").warning("sold %s", "out", extra={"item": "a"})

        assert [("sold out", "WARNING", {"item": "a"})] == [sent[:3] for sent in bench.sent()]

    def test_line_that_is_exported_is_written_as_json_as_well(self, bench: Bench) -> None:
        """A line that is exported is written as JSON as well."""
        structlog.get_logger("shop").info("sold", item="a")
        (line,) = bench.captured.logs()

        assert ("sold", "a", "shop") == (line["event"], line["item"], line["logger"])

    def test_event_is_rendered_once_for_each_target_and_body(self, bench: Bench) -> None:
        """An event is rendered once for each target, and the body is no JSON."""
        counted = Counted()
        structlog.get_logger("shop").info("sold", item={"of": counted})
        (sent,) = bench.sent()

        assert "sold" == sent.body
        assert counted.times <= 3  # for the stream, for the export, and for the capture

    @pytest.mark.parametrize("log", [structlog.get_logger("a"), logging.getLogger("a")])
    def test_record_has_trace_and_span_ids_of_its_line(self, bench: Bench, log: Any) -> None:
        """A record has the trace and span ids of its line."""
        assert bench.captured.telemetry.traces is not None
        tracer = bench.captured.telemetry.traces.provider.get_tracer("test")
        with tracer.start_as_current_span("selling"):
            log.info("sold")
        (line,), (sent,) = bench.captured.logs(), bench.sent()

        assert (line["trace_id"], line["span_id"]) == (sent.trace_id, sent.span_id)
        assert not {"trace_id", "span_id", "trace_flags"} & set(sent.attributes)

    @pytest.mark.parametrize("level", ["info", "warning", "error", "critical"])
    def test_every_level_maps_to_its_severity(self, bench: Bench, level: str) -> None:
        """Every level maps to its severity."""
        getattr(structlog.get_logger("a"), level)("said")

        assert [level.upper()] == [sent.severity for sent in bench.sent()]

    @pytest.mark.parametrize("log", [structlog.get_logger("a"), logging.getLogger("a")])
    def test_exception_is_recorded_in_attributes(self, bench: Bench, log: Any) -> None:
        """An exception is recorded in the attributes of the conventions."""
        try:
            int("x")
        except ValueError:
            log.exception("failed")
        (sent,) = bench.sent()

        assert "ValueError" == sent.attributes["exception.type"]
        assert (
            "in test_exception_is_recorded_in_attributes" in sent.attributes["exception.stacktrace"]
        )

    def test_exception_may_be_passed_as_exc_info(self, bench: Bench) -> None:
        """The exception may be passed as exc_info."""
        structlog.get_logger("a").error("failed", exc_info=ValueError("x"))

        assert "x" == bench.sent()[0].attributes["exception.message"]


class TestOdd:
    def test_value_whose_text_raises_does_not_raise_into_application(self, bench: Bench) -> None:
        """A value whose text raises does not raise into the application."""
        structlog.get_logger("a").info("said", odd=Unwritable())

        assert ["said"] == [line["event"] for line in bench.captured.logs()]
        assert ["said"] == [sent.body for sent in bench.sent()]

    def test_message_whose_text_raises_does_not_raise_into_application(self, bench: Bench) -> None:
        """A message whose text raises does not raise into the application."""
        structlog.get_logger("a").info(Unwritable())

        assert 1 == len(bench.captured.logs())

    @pytest.mark.parametrize("odd", ["\ud800", 10**30, -(2**63) - 1, float("nan")], ids=repr)
    def test_value_that_otlp_cannot_hold_does_not_affect_other_records(
        self, bench: Bench, odd: Any
    ) -> None:
        """A value that OTLP cannot hold does not affect other records."""
        log = structlog.get_logger("a")
        log.info("before")
        log.info("said", odd=odd)
        log.info("after")

        assert ["before", "said", "after"] == [sent.body for sent in bench.sent()]

    @pytest.mark.parametrize("names", [(), (7,), (None,), ("a", "b")], ids=repr)
    def test_logger_with_any_name_exports_its_lines(
        self, bench: Bench, names: tuple[Any, ...]
    ) -> None:
        """A logger with any name exports its lines."""
        structlog.get_logger(*names).info("said")

        assert ["said"] == [line["event"] for line in bench.captured.logs()]
        assert ["said"] == [sent.body for sent in bench.sent()]

    def test_message_that_is_no_string_is_exported_as_text(self, bench: Bench) -> None:
        """A message that is no string is exported as text."""
        structlog.get_logger("a").info(7)

        assert ["7"] == [sent.body for sent in bench.sent()]


class TestOwn:
    @pytest.mark.parametrize("name", ["otel_meta", "opentelemetry.sdk", "opentelemetry"])
    def test_lines_of_otel_meta_and_opentelemetry_are_written(
        self, bench: Bench, name: str
    ) -> None:
        """Lines of otel_meta and OpenTelemetry are written and not exported."""
        logging.getLogger(name).warning("cannot export")

        assert 1 == len(bench.captured.logs())
        assert [] == bench.sent()

    def test_lines_that_http_client_logs_during_export_are_not_exported(
        self, script: Callable[..., Run]
    ) -> None:
        """Lines that the HTTP client logs during an export are not exported."""
        with OtlpReceiver() as sink:
            script(
                "import otel_meta, structlog\n"
                "telemetry = otel_meta.configure('a', logs='otlp', log_level='debug')\n"
                "structlog.get_logger('a').info('said')\n"
                "telemetry.flush(1)\n"
                "telemetry.shutdown(1)\n",
                OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint,
                OTEL_METRICS_EXPORTER="none",
                OTEL_TRACES_EXPORTER="none",
            )

        assert ["said"] == [record.body.string_value for record in sink.log_records()]
