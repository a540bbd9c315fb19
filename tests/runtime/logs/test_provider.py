from __future__ import annotations

import io
import json
import logging
import os
import signal
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from websockets.sync.client import connect

from otel_meta.testing import CapturedTelemetry, capture

if TYPE_CHECKING:
    from tests.conftest import Eventually, Service

SHOP = """
import logging

import structlog
from fastapi import FastAPI, WebSocket

import otel_meta

telemetry = otel_meta.configure("shop", namespace="acme")
app = FastAPI()
otel_meta.instrument_fastapi(app, telemetry)


@app.get("/items/{item}")
async def sell(item: str) -> str:
    structlog.get_logger("by.structlog").info("sold", item=item)
    logging.getLogger("by.stdlib").info("sold", extra={"item": item})
    return item


@app.get("/fail")
async def fail() -> None:
    password = "hunter2"
    raise RuntimeError("out of stock")


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()
"""
UNSAMPLED = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00"


class Unwritable:
    """An object whose text raises an error."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class StuckStream(io.BytesIO):
    """A stream that waits for an event, except in a forked child."""

    def __init__(self, parent: int) -> None:
        super().__init__()
        self.entered, self.release = Event(), Event()
        self.child_lines = 0
        self._parent = parent

    def write(self, line: Any) -> int:
        """Wait in the parent, count in the child."""
        if os.getpid() == self._parent:
            self.entered.set()
            self.release.wait(20)
        else:
            self.child_lines += 1
        return len(line)


@pytest.fixture(scope="module")
def shop(service: Callable[..., Service]) -> Service:
    """A service under uvicorn that has answered a few requests."""
    shop = service(SHOP)
    shop.get("/items/7?token=hunter2", headers={"x-request-id": "first"})
    shop.get("/items/8", headers={"x-request-id": "second", "traceparent": UNSAMPLED})
    shop.get("/fail?token=hunter2", headers={"x-request-id": "third"})
    with connect(f"ws://127.0.0.1:{shop.port}/chat?token=hunter2"):
        pass
    return shop


def failures(shop: Service) -> list[dict[str, Any]]:
    """Return the lines with an exception."""
    return [line for line in shop.lines() if "exception_type" in line]


class TestShape:
    def test_every_line_of_app_and_server_is_json_on_stdout(self, shop: Service) -> None:
        """Every line of app and server is JSON on stdout."""
        assert {"otel_meta", "uvicorn.error", "uvicorn.access", "by.structlog", "by.stdlib"} == {
            line["logger"] for line in shop.lines()
        }
        assert "" == shop.stderr

    def test_lines_of_request_share_same_fields_whichever_library_logs_them(
        self, shop: Service
    ) -> None:
        """Lines of a request share the same fields, whichever library logs them."""
        shared = {
            "timestamp",
            "level",
            "event",
            "logger",
            "service_name",
            "service_namespace",
            "request_id",
            "trace_id",
            "span_id",
            "trace_flags",
        }
        own = {
            "by.structlog": {"item"},
            "by.stdlib": {"item"},
            "uvicorn.access": {
                "client_address",
                "duration_seconds",
                "http_request_method",
                "http_response_status_code",
                "http_route",
                "http_version",
                "url_path",
            },
        }

        assert own == {
            line["logger"]: set(line) - shared
            for line in shop.lines(request_id="first")
            if shared <= set(line)
        }

    def test_all_lines_of_request_have_ids_of_its_span(self, shop: Service) -> None:
        """All lines of a request have the ids of its span."""
        lines = shop.lines(request_id="first")

        assert 3 == len(lines)
        assert 1 == len({(line["trace_id"], line["span_id"]) for line in lines})

    def test_lines_of_request_that_is_not_sampled_have_its_ids(self, shop: Service) -> None:
        """Lines of a request that is not sampled have its ids and flags."""
        assert [("0123456789abcdef0123456789abcdef", "00")] * 3 == [
            (line["trace_id"], line["trace_flags"]) for line in shop.lines(request_id="second")
        ]

    def test_access_line_of_server_has_fields(self, shop: Service) -> None:
        """The access line of the server has fields."""
        (line,) = shop.lines(logger="uvicorn.access", request_id="first")

        assert {
            "event": "request",
            "http_request_method": "GET",
            "url_path": "/items/7",
            "http_response_status_code": 200,
        }.items() <= line.items()

    def test_no_access_line_contains_query_string(self, shop: Service) -> None:
        """No access line contains the query string."""
        lines = [line for line in shop.lines() if "hunter2" in json.dumps(line)]

        assert [] == [line for line in lines if line["event"] == "request"]

    def test_line_of_websocket_handshake_has_no_query_string(
        self, shop: Service, eventually: Eventually
    ) -> None:
        """The line of a WebSocket handshake has no query string."""

        def handshakes() -> list[str]:
            return [line["event"] for line in shop.lines() if "WebSocket" in line["event"]]

        eventually(handshakes)

        assert [] == [event for event in handshakes() if "hunter2" in event]

    def test_unhandled_exception_is_logged_with_traceback_without_local_variables(
        self, shop: Service, eventually: Eventually
    ) -> None:
        """An unhandled exception is logged with its traceback, without local variables."""
        eventually(lambda: failures(shop))
        (line,) = failures(shop)

        assert ("RuntimeError", "out of stock") == (
            line["exception_type"],
            line["exception_message"],
        )
        assert ", in fail\n" in line["exception_stacktrace"]
        assert 'password = "hunter2"' not in line["exception_stacktrace"]
        assert "Exception in ASGI application" == line["event"]

    def test_line_of_unhandled_exception_has_ids_of_its_request(
        self, shop: Service, eventually: Eventually
    ) -> None:
        """The line of an unhandled exception has the ids of its request."""
        eventually(lambda: failures(shop))
        (line,) = failures(shop)
        (request,) = shop.lines(logger="uvicorn.access", request_id="third")

        assert ("third", request["trace_id"]) == (line.get("request_id"), line.get("trace_id"))


class TestInstall:
    def test_lines_below_level_are_dropped_from_every_library(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Lines below the level are dropped, from every library."""
        structlog.get_logger("a").debug("quiet")
        logging.getLogger("a").debug("quiet")
        structlog.get_logger("a").info("loud")

        assert ["loud"] == [line["event"] for line in captured_telemetry.logs()]

    def test_lines_have_service_name_and_namespace(self) -> None:
        """Lines have the service name and namespace."""
        with capture("api", namespace="acme") as captured:
            logging.getLogger("a").warning("said")
        (line,) = captured.logs()

        assert ("api", "acme") == (line["service_name"], line["service_namespace"])

    def test_service_without_meta_repository_logs_no_namespace(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """A service without a meta-repository logs no namespace."""
        structlog.get_logger("a").info("said")

        assert "service_namespace" not in captured_telemetry.logs()[0]

    def test_lines_have_trace_ids_if_nothing_is_sampled(self) -> None:
        """Lines have trace ids if nothing is sampled."""
        with capture(environ={"OTEL_TRACES_SAMPLER": "always_off"}) as captured:
            assert captured.telemetry.traces is not None
            tracer = captured.telemetry.traces.provider.get_tracer("test")
            with tracer.start_as_current_span("selling"):
                structlog.get_logger("a").info("sold")
                logging.getLogger("a").info("sold")

        assert [(32, 16)] * 2 == [
            (len(line["trace_id"]), len(line["span_id"])) for line in captured.logs()
        ]
        assert () == captured.spans()

    def test_timestamp_is_in_utc(self, captured_telemetry: CapturedTelemetry) -> None:
        """The timestamp is in UTC."""
        structlog.get_logger("a").info("said")

        assert captured_telemetry.logs()[0]["timestamp"].endswith("Z")

    def test_every_method_of_logger_writes_line_with_its_level(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Every method of a logger writes a line with its level."""
        log = structlog.get_logger("a")
        log.info("said")
        log.warning("said")
        log.error("said")
        log.critical("said")

        assert ["info", "warning", "error", "critical"] == [
            line["level"] for line in captured_telemetry.logs()
        ]

    def test_variables_bound_to_context_are_in_lines_of_every_library(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """Variables bound to the context are in the lines of every library."""
        with structlog.contextvars.bound_contextvars(order="7"):
            structlog.get_logger("a").info("said")
            logging.getLogger("a").info("said")

        assert ["7", "7"] == [line["order"] for line in captured_telemetry.logs()]

    def test_shutting_down_restores_logging_of_process(self) -> None:
        """Shutting down restores the logging of the process."""
        root = logging.getLogger()
        before = (list(root.handlers), root.level)
        with capture(log_level="debug"):
            during = (list(root.handlers), root.level)

        assert before == (list(root.handlers), root.level)
        assert before != during
        assert not structlog.is_configured()

    def test_without_stream_logging_of_process_is_unchanged(self) -> None:
        """Without a stream the logging of the process is unchanged."""
        root = logging.getLogger()
        before = list(root.handlers)
        with capture(log_stream=None) as captured:
            during = list(root.handlers)
            captured.telemetry.logs.take_over_server_loggers()

        assert before == during == list(root.handlers)


class TestNothingRaises:
    @pytest.mark.parametrize(
        "odd", ["\ud800", 10**5000, Unwritable(), {1, "a"}, b"\xff"], ids=lambda o: type(o).__name__
    )
    @pytest.mark.parametrize("log", [structlog.get_logger("a"), logging.getLogger("a")])
    def test_field_of_any_type_does_not_prevent_line(
        self, captured_telemetry: CapturedTelemetry, log: Any, odd: Any
    ) -> None:
        """A field of any type does not prevent the line."""
        if isinstance(log, logging.Logger):
            log.warning("said", extra={"odd": odd})
        else:
            log.warning("said", odd=odd)

        assert ["said"] == [line["event"] for line in captured_telemetry.logs()]

    def test_field_that_contains_itself_does_not_prevent_line(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """A field that contains itself does not prevent the line."""
        around: dict[str, Any] = {}
        around["self"] = around
        structlog.get_logger("a").info("said", odd=around)

        assert 1 == len(captured_telemetry.logs())

    def test_lines_to_closed_stream_are_counted_and_not_raised(self) -> None:
        """Lines to a closed stream are counted and not raised."""
        stream = io.BytesIO()
        with capture(log_stream=stream) as captured:
            stream.close()
            structlog.get_logger("a").info("said")
            logging.getLogger("a").warning("said")

        assert 2 == captured.telemetry.faults.count()

    def test_child_that_is_forked_while_its_parent_writes_line_can(self) -> None:
        """A child that is forked while its parent writes a line can log."""
        stream = StuckStream(os.getpid())
        with capture(log_stream=stream) as captured:
            log = structlog.get_logger("a")
            writing = Thread(target=log.info, args=("said",))
            writing.start()
            stream.entered.wait(20)
            if (child := os.fork()) == 0:
                signal.alarm(10)
                log.info("said")
                os._exit(0 if stream.child_lines == 1 else 1)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            stream.release.set()
            writing.join()

        assert 0 == code
        assert 0 == captured.telemetry.faults.count()

    def test_lines_from_many_threads_are_written_whole(self) -> None:
        """Lines from many threads are written whole."""
        with capture() as captured:

            def say() -> None:
                for number in range(200):
                    structlog.get_logger("a").info("said", text="x" * number)
                    logging.getLogger("a").info("said")

            threads = [Thread(target=say) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert 8 * 200 * 2 == len(captured.logs())
