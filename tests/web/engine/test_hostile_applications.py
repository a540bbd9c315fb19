"""Applications that do what ASGI allows, or what no application should do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.types import Receive, Scope, Send

from otel_meta.testing import capture
from tests.web.cases.app import SentMessages
from tests.web.cases.driver import Request, connect
from tests.web.cases.recorded import REQUEST_SIZE, Recorded

BODY = {"type": "http.response.body", "body": b"a"}


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """An instrumented application without routes."""
    with capture() as captured:
        yield Recorded(captured, FastAPI(), "meta")


def faults(recorded: Recorded) -> list[object]:
    """Return the labels of the counted faults."""
    return [cell.labels for cell in recorded.captured.telemetry.faults.family.cells()]


class HiddenNames(type):
    """A class of classes that hides the names of its classes."""

    def __getattribute__(cls, name: str) -> Any:
        """Return an attribute that is no name."""
        if name in {"__module__", "__qualname__", "__name__"}:
            raise RuntimeError(name)
        return super().__getattribute__(name)


class HiddenError(Exception, metaclass=HiddenNames):
    """An exception of a class without visible names."""


async def fail_late(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Respond, and raise an exception."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send(BODY)
    raise HiddenError


class TestHeaders:
    def test_headers_of_generator_are_sent(self, recorded: Recorded) -> None:
        """Headers that the application gives as an iterator, which ASGI allows, are all sent."""

        async def respond(_scope: Scope, _receive: Receive, send: Send) -> None:
            headers = iter([(b"x-own", b"1")])
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send(BODY)

        recorded.app.mount("/a", respond)

        assert "1" == recorded.ask("/a/").headers["x-own"]

    def test_headers_of_accepted_websocket_are_sent(self, recorded: Recorded) -> None:
        """Headers of an accepted WebSocket that come from an iterator are all sent."""

        async def accept(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "websocket.accept", "headers": iter([(b"x-own", b"1")])})

        recorded.app.mount("/a", accept)

        assert (b"x-own", b"1") in connect(recorded.app, "/a/").sent[0]["headers"]


class TestExceptions:
    def test_exception_of_hidden_class_reaches_server(self, recorded: Recorded) -> None:
        """An exception after the response reaches the server, although its class hides its name."""
        recorded.app.mount("/a", fail_late)

        assert isinstance(recorded.ask("/a/").error, HiddenError)
        assert [] == faults(recorded)

    def test_exception_of_hidden_class_is_recorded(self, recorded: Recorded) -> None:
        """A request whose exception has a class that hides its name is recorded, and has ended."""

        def fail() -> None:
            raise HiddenError

        recorded.app.get("/a")(fail)
        recorded.ask("/a")

        assert ["500"] == [span.status for span in recorded.server_spans()]
        assert 0 == recorded.active()


class TestBrokenResponse:
    @pytest.mark.parametrize("status", ["200", None, [200]])
    def test_status_of_wrong_type_leaves_nothing_open(
        self, recorded: Recorded, status: object
    ) -> None:
        """A status that is no number leaves no active request and no open span."""
        start = {"type": "http.response.start", "status": status, "headers": []}
        recorded.app.mount("/a", SentMessages(start, BODY))
        recorded.ask("/a/")

        assert 0 == recorded.active()
        assert 1 == len(recorded.spans())


class TestSharedResponse:
    @pytest.mark.parametrize("count", [1, 2])
    def test_each_request_has_one_span_for_each_task(self, recorded: Recorded, count: int) -> None:
        """A response that is sent to many requests has one span for each task and request."""
        tasks = BackgroundTasks([BackgroundTask(str) for _ in range(count)])
        background = tasks if count > 1 else tasks.tasks[0]
        recorded.app.mount("/a", PlainTextResponse("a", background=background))
        for _ in range(3):
            recorded.ask("/a/")
        spans = recorded.captured.spans()
        parents = [span.parent.span_id for span in spans if span.parent is not None]

        assert sorted(parents) == sorted(s.context.span_id for s in recorded.spans() * count)

    def test_task_of_excluded_request_has_no_span(self) -> None:
        """A background task of an excluded request has no span of another request."""
        shared = PlainTextResponse("a", background=BackgroundTask(str))
        with capture() as captured:
            recorded = Recorded(captured, FastAPI(), "meta", exclude=["/excluded"])
            recorded.app.get("/excluded")(lambda: shared)
            recorded.app.get("/a")(lambda: shared)
            recorded.ask("/a")
            before = len(captured.spans())
            recorded.ask("/excluded")

            assert before == len(captured.spans())


class TestBackgroundOfOthers:
    def test_attribute_of_no_response_is_unchanged(self, recorded: Recorded) -> None:
        """An object that sends a response keeps its attribute ``background``."""

        class Theme:
            background = "blue"

            async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
                start = {"type": "http.response.start", "status": 200, "headers": []}
                await SentMessages(start, BODY)(scope, receive, send)

        theme = Theme()
        recorded.app.mount("/a", theme.respond)
        recorded.ask("/a/")

        assert "blue" == theme.background


class TestClaimedLength:
    @pytest.mark.parametrize("digits", [19, 400, 5000])
    def test_claimed_length_is_no_size(self, recorded: Recorded, digits: int) -> None:
        """A length that the client claims, of a body that nobody received, is no recorded size."""
        recorded.app.post("/a")(lambda: None)
        recorded.ask(Request("/a", "POST", headers=[(b"content-length", b"9" * digits)]))

        assert [] == recorded.series(f"{REQUEST_SIZE}_count")
        assert ["200"] == [span.status for span in recorded.server_spans()]
        assert [] == faults(recorded)
