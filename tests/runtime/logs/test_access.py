from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from otel_meta.runtime.logs.access import (
    REQUEST_IN_PROGRESS,
    UNHELD_REQUEST,
    AccessRecord,
    QuietRequest,
    RequestInProgress,
    WriteRecord,
    add_access_fields,
    add_request_fields,
    is_held,
    parse_access_args,
)
from otel_meta.testing import capture
from otel_meta.testing.loopback import free_port
from tests.web.conftest import Web

if TYPE_CHECKING:
    from tests.conftest import Serving

GUNICORN = {"h": "1.2.3.4", "m": "GET", "U": "/items/7", "H": "HTTP/1.1", "s": "200", "q": "t=s"}


def record_of(name: str = "uvicorn.access", *, status: Any = 200) -> logging.LogRecord:
    """Return a record of a server's access log."""
    args = ("1.2.3.4:5", "GET", "/items/7?token=secret", "1.1", status)
    return logging.makeLogRecord({"name": name, "args": args})


def access(name: str = "uvicorn.access", args: Any = None) -> dict[str, Any]:
    """Return an access line of a server after its fields were added."""
    if args is None:
        args = ("1.2.3.4:5", "GET", "/items/7?token=secret", "1.1", 200)
    record = logging.makeLogRecord({"name": name, "args": args})
    return dict(add_access_fields(record, {"event": "text"}))


class TestAccess:
    def test_parts_of_access_line_become_fields_with_conventions_names(self) -> None:
        """The parts of an access line become fields with the conventions' names."""
        assert {
            "event": "request",
            "client_address": "1.2.3.4:5",
            "http_request_method": "GET",
            "url_path": "/items/7",
            "http_version": "1.1",
            "http_response_status_code": 200,
        } == access()

    @pytest.mark.parametrize("target", ["/?a=b?c", "/?token=secret", "?token=secret", "/a?"])
    def test_access_line_has_no_query_string(self, target: str) -> None:
        """An access line has no query string."""
        line = access(args=("", "GET", target, "1.1", 200))

        assert "?" not in json.dumps(line)

    @pytest.mark.parametrize("name", ["gunicorn.access", "hypercorn.access"])
    def test_access_line_of_other_server_has_same_fields(self, name: str) -> None:
        """An access line of another server has the same fields, and no query string."""
        line = access(name, GUNICORN)

        assert access() == {**line, "client_address": "1.2.3.4:5"}

    @pytest.mark.parametrize("args", [(), ("a",), {"a": 1}, ("a", "b", "c", "d", "e", "f")])
    def test_other_lines_keep_their_event(self, args: Any) -> None:
        """Other lines keep their event."""
        assert {"event": "text"} == access("uvicorn.error", args)
        assert {"event": "text"} == access("uvicorn.access", args)


class TestParseAccessArgs:
    @pytest.mark.parametrize("target", ["", "/", "?", "/a?b", "/a?b?c", "a?\n", "/é?\ud800"])
    def test_path_ends_before_first_question_mark(self, target: str) -> None:
        """The path ends before the first question mark."""
        access = parse_access_args(("", "GET", target, "1.1", 200))

        assert isinstance(access, AccessRecord)
        assert target.split("?", maxsplit=1)[0] == access.path

    @pytest.mark.parametrize("args", [None, (), {"a": 1}, ("a", "b", "c", "d", "200"), "abcde"])
    def test_arguments_of_other_types_are_no_access_record(self, args: Any) -> None:
        """Arguments of other types are no access record."""
        assert parse_access_args(args) is None


@pytest.fixture
def web() -> Iterator[Web]:
    """An instrumented application."""
    with capture() as captured:
        yield Web(captured)


class HoldingRequest:
    """A request that holds its access line."""

    def __init__(self) -> None:
        self.held: list[logging.LogRecord] = []

    def hold(self, record: logging.LogRecord, _write: WriteRecord) -> bool:
        """Hold the line."""
        self.held.append(record)
        return True


@pytest.fixture
def in_progress() -> Iterator[Callable[..., object]]:
    """Function that sets the request in progress."""
    token = REQUEST_IN_PROGRESS.set(None)
    yield REQUEST_IN_PROGRESS.set
    REQUEST_IN_PROGRESS.reset(token)


class TestHold:
    @pytest.mark.parametrize(
        ("name", "is_access"),
        [
            ("uvicorn.access", True),
            ("gunicorn.access", True),
            ("hypercorn.access", True),
            ("uvicorn.error", False),
            ("shop", False),
        ],
    )
    def test_request_holds_access_lines_alone(
        self, in_progress: Callable[..., object], name: str, is_access: bool
    ) -> None:
        """A request in progress holds access lines, and no others."""
        request, record = HoldingRequest(), record_of(name)
        in_progress(request)

        assert is_access == is_held(record, lambda _: None)
        assert ([record] if is_access else []) == request.held

    @pytest.mark.parametrize("request_in_progress", [None, UNHELD_REQUEST])
    def test_line_outside_of_recorded_request_is_not_held(
        self,
        in_progress: Callable[..., object],
        request_in_progress: RequestInProgress | None,
    ) -> None:
        """The line of a request that is not recorded is written at once."""
        in_progress(request_in_progress)

        assert not is_held(record_of(), lambda _: None)

    @pytest.mark.parametrize(
        ("status", "is_dropped"),
        [(200, True), (399, True), (400, False), (503, False), ("", False)],
    )
    def test_scrape_has_line_of_failure_alone(self, status: Any, is_dropped: bool) -> None:
        """A scrape or a probe has the line of a failure alone."""
        assert is_dropped == QuietRequest().hold(record_of(status=status), lambda _: None)


class TestRequestFields:
    def test_line_has_route_and_duration(self) -> None:
        """A line has the route and the duration in microseconds; an unknown route is left out."""
        known, unknown = record_of(), record_of()
        add_request_fields(known, "/items/{name}", 0.12345678)
        add_request_fields(unknown, "", 0.0)

        assert ("/items/{name}", 0.123457) == (
            vars(known)["http_route"],
            vars(known)["duration_seconds"],
        )
        assert ("http_route" in vars(unknown), 0.0) == (False, vars(unknown)["duration_seconds"])


class TestServers:
    @pytest.mark.parametrize("prefix", ["", "/api"])
    def test_line_of_uvicorn_has_route_and_duration(
        self, web: Web, serving: Serving, prefix: str
    ) -> None:
        """The line of uvicorn has route and duration, also behind a prefix; probes have no line."""
        web.app.get("/items/{name}")(lambda name: name)
        with serving(web.app, root_path=prefix) as client:
            client.get("/items/7?token=secret")
            client.get("/metrics")
            client.get("/healthz")
        (line,) = [each for each in web.captured.logs() if each["logger"] == "uvicorn.access"]

        assert (f"{prefix}/items/{{name}}", f"{prefix}/items/7", 200) == (
            line["http_route"],
            line["url_path"],
            line["http_response_status_code"],
        )
        assert 0 < line["duration_seconds"] < 20

    def test_line_of_failed_request_has_its_ids(self, web: Web, serving: Serving) -> None:
        """The line of a request whose handler fails has its route and its ids."""
        web.app.get("/fail")(lambda: 1 / 0)
        with serving(web.app) as client:
            client.get("/fail", headers={"x-request-id": "order-7"})
        (line,) = [each for each in web.captured.logs() if each["logger"] == "uvicorn.access"]

        assert ("/fail", 500, "order-7") == (
            line["http_route"],
            line["http_response_status_code"],
            line["request_id"],
        )

    def test_line_of_hypercorn_has_route_and_duration(self, web: Web) -> None:
        """The line of Hypercorn has route and duration, and no query string."""
        web.app.get("/items/{name}")(lambda name: name)
        with hypercorn(web.app) as get:
            get("/items/7?token=secret")
            get("/metrics")
        (line,) = [each for each in web.captured.logs() if each["logger"] == "hypercorn.access"]

        assert ("request", "/items/{name}", "/items/7", 200) == (
            line["event"],
            line["http_route"],
            line["url_path"],
            line["http_response_status_code"],
        )
        assert 0 < line["duration_seconds"] < 20


@contextmanager
def hypercorn(app: Any) -> Iterator[Callable[[str], int]]:
    """Serve an application by Hypercorn in a thread, and return a function that gets a path."""
    config = Config()
    config.bind = [f"127.0.0.1:{free_port()}"]
    config.accesslog = logging.getLogger("hypercorn.access")
    config.accesslog.setLevel(logging.INFO)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    server = Thread(
        target=loop.run_until_complete, args=[serve(app, config, shutdown_trigger=stop.wait)]
    )

    def get(path: str) -> int:
        transport = httpx.HTTPTransport(retries=20)
        with httpx.Client(transport=transport, base_url=f"http://{config.bind[0]}") as client:
            return client.get(path).status_code

    server.start()
    try:
        yield get
    finally:
        loop.call_soon_threadsafe(stop.set)
        server.join(20)
        loop.close()
