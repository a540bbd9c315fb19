from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from otel_meta.testing import CapturedTelemetry, capture


class TimeLimit(Exception):
    """An exception that a signal handler raises, such as the time limit of a task."""


class NoText:
    """An object whose text raises an error."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class Interrupted:
    """An object whose text takes so long that a signal arrives."""

    def __repr__(self) -> str:
        signal.raise_signal(signal.SIGUSR1)
        return "text"


@contextmanager
def without_caplog() -> Iterator[None]:
    """Remove the handlers of pytest, which raise if arguments do not fit."""
    root = logging.getLogger()
    handlers = root.handlers.copy()
    root.handlers.clear()
    yield
    root.handlers[:] = handlers


@pytest.fixture
def time_limit() -> Iterator[None]:
    """A signal handler that raises."""

    def fail(*_: object) -> None:
        raise TimeLimit

    former = signal.signal(signal.SIGUSR1, fail)
    yield
    signal.signal(signal.SIGUSR1, former)


def log(method: str, *args: Any, **fields: Any) -> None:
    """Call a method of a logger; wait for one that is asynchronous."""

    async def call() -> None:
        result = getattr(structlog.get_logger("a"), method)(*args, **fields)
        if asyncio.iscoroutine(result):
            await result

    asyncio.run(call())


class TestNothingIsLost:
    @pytest.mark.parametrize(
        "name",
        [
            "event",
            "level",
            "logger",
            "timestamp",
            "service_name",
            "_record",
            "_from_structlog",
            "positional_args",
            "color_message",
            "method_name",
            "exception",
            "a b",
            "",
        ],
    )
    def test_field_of_any_name_is_kept(
        self, captured_telemetry: CapturedTelemetry, name: str
    ) -> None:
        """A field of any name is kept, with an underscore if telemetry uses the name."""
        logger: Any = structlog.get_logger("a")
        logger.info("said", **{name: "given"})
        logger.bind(**{name: "given"}).info("said")
        for line in captured_telemetry.logs():
            assert "said" == line["event"]
            assert "given" in (line.get(name), line.get(f"{name}_"))

    @pytest.mark.parametrize(
        "args", [("%d sold", "many"), ("%s",), ("sold", 1), ("%(a)s", {"b": 1})]
    )
    @pytest.mark.parametrize("method", ["info", "ainfo", "exception", "aexception", "log", "alog"])
    def test_arguments_that_do_not_fit_become_fields(
        self, captured_telemetry: CapturedTelemetry, args: tuple[Any, ...], method: str
    ) -> None:
        """Arguments that do not fit the message become fields of the line; nothing is raised."""
        level = (logging.INFO,) if "log" in method else ()
        log(method, *level, *args)
        lines = [line for line in captured_telemetry.logs() if line["logger"] == "a"]

        assert [args[0]] == [line["event"] for line in lines]
        if len(args) > 1:
            assert [args[1]] == lines[0]["log_arguments"]
            assert "test_bound_logger.py:" in lines[0]["log_site"]
            assert 1 == captured_telemetry.telemetry.faults.count()

    def test_first_fault_of_arguments_is_logged_with_call_site(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """The first fault of arguments is logged with the place of the call."""
        structlog.get_logger("a").info("%d sold", "many")
        structlog.get_logger("a").info("%d sold", "many")
        warnings = [e for e in captured_telemetry.logs() if e["logger"] == "otel_meta"]

        assert 1 == len(warnings)
        assert "test_bound_logger.py:" in warnings[0]["event"]

    @pytest.mark.parametrize(
        "args",
        [("%d sold", "many"), ("%s %s", 1), ("sold", 1), ("%(a)s", {"b": 1}), ("%s", NoText())],
        ids=lambda args: str(args[0]),
    )
    def test_record_whose_arguments_do_not_fit_is_written(self, args: tuple[Any, ...]) -> None:
        """A record of the standard library whose arguments do not fit is written, with its site."""
        with without_caplog(), capture() as captured:
            logging.getLogger("a").warning(*args)
        (line,) = [line for line in captured.logs() if line["logger"] == "a"]

        assert ("warning", args[0], 1) == (line["level"], line["event"], len(line["log_arguments"]))
        assert "test_bound_logger.py:" in line["log_site"]
        assert 1 == captured.telemetry.faults.count()

    @pytest.mark.parametrize("level", [logging.DEBUG, 17, 25, 35, 99, logging.CRITICAL])
    def test_level_of_any_number_is_logged(self, level: int) -> None:
        """A level of any number is logged, as the nearest below."""
        with capture(log_level="debug") as captured:
            structlog.get_logger("a").log(level, "said")

        assert ["said"] == [line["event"] for line in captured.logs()]

    @pytest.mark.parametrize("method", ["warn", "fatal", "msg", "awarn", "afatal", "amsg", "ainfo"])
    def test_every_method_of_structlog_is_safe(
        self, captured_telemetry: CapturedTelemetry, method: str
    ) -> None:
        """Every method of structlog writes a line, also with a second event."""
        log(method, "said", event="second", odd=NoText())
        (line,) = captured_telemetry.logs()

        assert ("said", "second", "<NoText: RuntimeError>") == (
            line["event"],
            line["event_"],
            line["odd"],
        )

    def test_exception_of_coroutine_is_in_line(self, captured_telemetry: CapturedTelemetry) -> None:
        """The current exception is in the line of an asynchronous method."""

        async def fail() -> None:
            try:
                int("x")
            except ValueError:
                await structlog.get_logger("a").aexception("failed")

        asyncio.run(fail())

        assert "ValueError" == captured_telemetry.logs()[0]["exception_type"]

    def test_processor_that_raises_is_counted_and_named(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """A processor of the application that raises is counted and named, not raised."""

        def fail(_logger: Any, _method: str, _event: Any) -> Any:
            raise KeyError("no such key")

        structlog.configure(processors=[fail, *structlog.get_config()["processors"]])
        structlog.get_logger("a").info("said")
        (line,) = captured_telemetry.logs()

        assert "test_bound_logger.py:" in line["event"]
        assert "no such key" in line["event"]

    @pytest.mark.usefixtures("captured_telemetry")
    @pytest.mark.parametrize(
        ("returned", "given"),
        [
            ("text", (("text",), {})),
            (b"bytes", ((b"bytes",), {})),
            (bytearray(b"array"), ((b"array",), {})),
            ((("a", "b"), {"c": 1}), (("a", "b"), {"c": 1})),
            ({"a": 1}, ((), {"a": 1})),
        ],
    )
    def test_logger_of_application_receives_what_its_processors_return(
        self, returned: Any, given: tuple[Any, Any]
    ) -> None:
        """A logger of the application receives what its processors return, as with structlog."""
        received: list[tuple[Any, Any]] = []

        class Own:
            def info(self, *args: Any, **kwargs: Any) -> None:
                received.append((args, kwargs))

        structlog.wrap_logger(Own(), processors=[lambda *_: returned]).info("said")

        assert [given] == received

    def test_processor_may_log(self, captured_telemetry: CapturedTelemetry) -> None:
        """A processor of the application may log a line itself, of either library."""

        def talk(_logger: Any, _method: str, event: Any) -> Any:
            if event["event"] == "said":
                structlog.get_logger("b").info("inner")
                logging.getLogger("b").info("inner")
            return event

        structlog.configure(processors=[talk, *structlog.get_config()["processors"]])
        structlog.get_logger("a").info("said")

        assert ["inner", "inner", "said"] == [e["event"] for e in captured_telemetry.logs()]

    def test_handler_of_application_may_log(self, captured_telemetry: CapturedTelemetry) -> None:
        """A handler of the application may log a line itself."""

        class Talking(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if record.name == "a":
                    logging.getLogger("b").warning("inner")
                    structlog.get_logger("b").warning("inner")

        handler = Talking()
        logging.getLogger("a").addHandler(handler)
        logging.getLogger("a").warning("said")
        logging.getLogger("a").removeHandler(handler)

        assert ["inner", "inner", "said"] == [e["event"] for e in captured_telemetry.logs()]

    def test_capture_logs_of_structlog_works(self, captured_telemetry: CapturedTelemetry) -> None:
        """The function capture_logs of structlog works beside telemetry."""
        with capture_logs() as captured:
            structlog.get_logger("a").info("said", a=1)
        structlog.get_logger("a").info("later")

        assert [{"event": "said", "a": 1, "log_level": "info"}] == captured
        assert ["later"] == [line["event"] for line in captured_telemetry.logs()]


@pytest.mark.usefixtures("time_limit")
class TestTimeLimit:
    @pytest.mark.parametrize(
        "call",
        [
            lambda: structlog.get_logger("a").info("said", a=Interrupted()),
            lambda: structlog.get_logger("a").info("%r", Interrupted()),
            lambda: structlog.get_logger("a").info("said", a=[Interrupted()]),
            lambda: logging.getLogger("a").info("said", extra={"a": Interrupted()}),
            lambda: logging.getLogger("a").info("%r", Interrupted()),
            lambda: structlog.get_logger("a").info("said", exc_info=ValueError(Interrupted())),
        ],
    )
    def test_exception_of_signal_handler_reaches_application(self, call: Any) -> None:
        """An exception that a signal handler raises inside a log call reaches the application."""
        with without_caplog(), capture() as captured, pytest.raises(TimeLimit):
            call()

        assert 0 == captured.telemetry.faults.count()


class TestConfiguredAgain:
    def test_cached_logger_writes_through_latest_telemetry(self) -> None:
        """A logger that was cached under one telemetry writes through the next one."""
        with capture("first", cache_loggers=True) as first:
            cached = structlog.get_logger("a")
            cached.info("1")
        with capture("second", cache_loggers=True) as second:
            cached.info("2")

        assert [("1", "first")] == [(e["event"], e["service_name"]) for e in first.logs()]
        assert [("2", "second")] == [(e["event"], e["service_name"]) for e in second.logs()]

    def test_configuration_of_application_is_restored(self) -> None:
        """The application's configuration of structlog is restored at the end."""
        processors = [structlog.processors.KeyValueRenderer()]
        structlog.configure(processors=processors)
        with capture():
            pass
        restored = structlog.get_config()["processors"]
        structlog.reset_defaults()

        assert processors is restored
