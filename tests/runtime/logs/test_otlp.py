from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import structlog

from otel_meta.testing import CapturedTelemetry, OtlpReceiver, capture

if TYPE_CHECKING:
    from tests.conftest import Run


class Unwritable:
    """Something that cannot be written."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class Counted:
    """Something that counts how often it is written as JSON, for which it has to be a string."""

    def __init__(self) -> None:
        self.times = 0

    def __repr__(self) -> str:
        self.times += 1
        return "counted"


class Sent(NamedTuple):
    """A log record as the receiver got it."""

    body: str
    severity: str
    attributes: dict[str, Any]
    trace_id: str
    span_id: str


class Bench:
    """Telemetry whose logs go to a receiver as well."""

    def __init__(self, captured: CapturedTelemetry, sink: OtlpReceiver) -> None:
        self.captured = captured
        self._sink = sink
        self._before = len(sink.log_records())

    def sent(self) -> list[Sent]:
        """What the receiver got."""
        assert self.captured.telemetry.flush()
        return [
            Sent(
                record.body.string_value,
                record.severity_text,
                {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in record.attributes},
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
    """Logs that go to a receiver."""
    exporters = {"logs": "otlp", "traces": "none", "metrics": "none"}
    with capture(otlp_endpoint=sink.endpoint, **exporters) as captured:
        yield Bench(captured, sink)


class TestRecord:
    def test_structured(self, bench: Bench) -> None:
        """What was said is the body, and what was said with it are attributes of their types."""
        structlog.get_logger("shop").warning("sold", item="a", price=1.5, count=2, last=True)

        assert [("sold", "WARNING", {"item": "a", "price": 1.5, "count": 2, "last": True})] == [
            sent[:3] for sent in bench.sent()
        ]

    def test_standard(self, bench: Bench) -> None:
        """A line of the standard library's logging has the attributes it was given, and no more."""
        logging.getLogger("shop").warning("sold %s", "out", extra={"item": "a"})

        assert [("sold out", "WARNING", {"item": "a"})] == [sent[:3] for sent in bench.sent()]

    def test_stdout(self, bench: Bench) -> None:
        """The line is written as JSON all the same."""
        structlog.get_logger("shop").info("sold", item="a")
        (line,) = bench.captured.logs()

        assert ("sold", "a", "shop") == (line["event"], line["item"], line["logger"])

    def test_once(self, bench: Bench) -> None:
        """The JSON text is made once, for standard output; the record is no JSON."""
        counted = Counted()
        structlog.get_logger("shop").info("sold", item={"of": counted})
        (sent,) = bench.sent()

        assert "sold" == sent.body
        assert counted.times <= 2  # once for each way out

    @pytest.mark.parametrize("log", [structlog.get_logger("a"), logging.getLogger("a")])
    def test_ids(self, bench: Bench, log: Any) -> None:
        """A record has the ids of the span it was said in, as a line has."""
        assert bench.captured.telemetry.traces is not None
        tracer = bench.captured.telemetry.traces.provider.get_tracer("test")
        with tracer.start_as_current_span("selling"):
            log.info("sold")
        (line,), (sent,) = bench.captured.logs(), bench.sent()

        assert (line["trace_id"], line["span_id"]) == (sent.trace_id, sent.span_id)
        assert not {"trace_id", "span_id", "trace_flags"} & set(sent.attributes)

    @pytest.mark.parametrize("level", ["info", "warning", "error", "critical"])
    def test_severity(self, bench: Bench, level: str) -> None:
        """Every level has its severity."""
        getattr(structlog.get_logger("a"), level)("said")

        assert [level.upper()] == [sent.severity for sent in bench.sent()]

    @pytest.mark.parametrize("log", [structlog.get_logger("a"), logging.getLogger("a")])
    def test_exception(self, bench: Bench, log: Any) -> None:
        """An exception is told by the conventions' attributes."""
        try:
            int("x")
        except ValueError:
            log.exception("failed")
        (sent,) = bench.sent()

        assert "ValueError" == sent.attributes["exception.type"]
        assert "in test_exception" in sent.attributes["exception.stacktrace"]

    def test_unhandled(self, bench: Bench) -> None:
        """An exception may be given as such."""
        structlog.get_logger("a").error("failed", exc_info=ValueError("x"))

        assert "x" == bench.sent()[0].attributes["exception.message"]


class TestOdd:
    def test_unwritable(self, bench: Bench) -> None:
        """A value that cannot be written does not raise into the application."""
        structlog.get_logger("a").info("said", odd=Unwritable())

        assert ["said"] == [line["event"] for line in bench.captured.logs()]
        assert ["said"] == [sent.body for sent in bench.sent()]

    def test_unwritable_event(self, bench: Bench) -> None:
        """Nor does a message that cannot be written."""
        structlog.get_logger("a").info(Unwritable())

        assert 1 == len(bench.captured.logs())

    @pytest.mark.parametrize("odd", ["\ud800", 10**30, -(2**63) - 1, float("nan")], ids=repr)
    def test_odd(self, bench: Bench, odd: Any) -> None:
        """A value that OTLP cannot hold takes no other record down with it."""
        log = structlog.get_logger("a")
        log.info("before")
        log.info("said", odd=odd)
        log.info("after")

        assert ["before", "said", "after"] == [sent.body for sent in bench.sent()]

    @pytest.mark.parametrize("names", [(), (7,), (None,), ("a", "b")], ids=repr)
    def test_names(self, bench: Bench, names: tuple[Any, ...]) -> None:
        """Whatever a logger is asked for by, it takes what is said."""
        structlog.get_logger(*names).info("said")

        assert ["said"] == [line["event"] for line in bench.captured.logs()]
        assert ["said"] == [sent.body for sent in bench.sent()]

    def test_none(self, bench: Bench) -> None:
        """A message of another type is written as text."""
        structlog.get_logger("a").info(7)

        assert ["7"] == [sent.body for sent in bench.sent()]


class TestOwn:
    @pytest.mark.parametrize("name", ["otel_meta", "opentelemetry.sdk", "opentelemetry"])
    def test_not_sent(self, bench: Bench, name: str) -> None:
        """Lines about exporting are written but not exported."""
        logging.getLogger(name).warning("cannot export")

        assert 1 == len(bench.captured.logs())
        assert [] == bench.sent()

    def test_client(self, script: Callable[..., Run]) -> None:
        """What the exporter's HTTP client says of an export is not exported in its turn."""
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
