from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_meta.runtime.logs.access import REQUEST_IN_PROGRESS, is_held
from otel_meta.semconv import HTTP_SERVER_REQUEST_BODY_SIZE, HTTP_SERVER_RESPONSE_BODY_SIZE
from otel_meta.web.asgi import App, Message, Receive, Scope, Send
from otel_meta.web.engine.http.innermost_middleware import InnermostMiddleware
from tests.web.engine.direct_calls import (
    BODY,
    REQUEST,
    START,
    DirectCalls,
    answer,
    receiving,
    scope_of,
    sending,
    started,
)

DISCONNECT: Message = {"type": "http.disconnect"}
ACCESS = ("1.2.3.4:5", "GET", "/items/7", "1.1", 200)


class ShopError(Exception):
    """An exception class of the application."""


class UnprintableError(Exception):
    """An exception whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __repr__(self) -> str:
        return "UnprintableError()"


class StrictServer:
    """Refuses messages as servers do, and keeps the others."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send(self, message: Any) -> None:
        """Take a message in the order of the specification."""
        kinds = {"http.response.body"} if self.sent else {"http.response.start"}
        if message["type"] not in kinds:
            raise RuntimeError(f"unexpected {message['type']}")
        self.sent.append(message)


async def read(receive: Receive) -> list[Message]:
    """Receive until the end of the body."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


class TestMistakesOfApplication:
    @pytest.mark.parametrize(
        ("messages", "error"),
        [
            ([START, started(500), BODY], RuntimeError),
            ([BODY, START], RuntimeError),
            ([{}, START, BODY], KeyError),
            ([None], TypeError),
        ],
    )
    def test_error_of_server_is_that_without_telemetry(
        self, direct: DirectCalls, messages: list[Any], error: type[Exception]
    ) -> None:
        """The server's error for a wrong message is the one without telemetry."""
        bare = StrictServer()
        with pytest.raises(error) as expected:
            asyncio.run(_run(sending(*messages), bare.send))
        with pytest.raises(error) as got:
            direct.run(sending(*messages), send=StrictServer().send)

        assert str(expected.value) == str(got.value)
        assert (1, 0.0) == (len(direct.results()), direct.active())

    def test_second_start_changes_no_status(self, direct: DirectCalls) -> None:
        """A second start of the response does not change the recorded status."""
        with pytest.raises(RuntimeError):
            direct.run(sending(started(201), started(404)), send=StrictServer().send)

        assert [("201", "RuntimeError")] == direct.results()

    @pytest.mark.parametrize("kind", [list, tuple, iter])
    def test_headers_of_any_kind_reach_server(
        self, direct: DirectCalls, kind: Callable[[Any], Any]
    ) -> None:
        """Headers of any kind reach the server, also from an iterator."""
        direct.run(sending({**START, "headers": kind([(b"a", b"b")])}, BODY))

        assert b"b" == direct.headers[b"a"]
        assert b"x-request-id" in direct.headers

    def test_malformed_headers_reach_server_as_they_are(self, direct: DirectCalls) -> None:
        """Malformed headers reach the server as they are, and are counted as a fault."""
        direct.run(sending({**START, "headers": iter([("a", "b", "c")])}, BODY))

        assert [("a", "b", "c")] == direct.sent[0]["headers"]
        assert {("request", "ValueError")} == direct.faults()

    def test_message_of_application_is_unchanged(self, direct: DirectCalls) -> None:
        """The message of the application is unchanged, because it may be sent again."""
        start = started()
        direct.run(sending(start, BODY))

        assert started() == start

    def test_response_without_end_is_error(self, direct: DirectCalls) -> None:
        """A response without an end is an error."""
        direct.run(sending(START, {**BODY, "more_body": True}))

        assert [("200", "incomplete_response")] == direct.results()


async def _run(app: App, send: Send) -> None:
    await app(scope_of(), receiving([REQUEST]), send)


class TestExceptions:
    @pytest.mark.parametrize(
        ("error", "kind", "outcome"),
        [
            (ValueError("a"), "ValueError", "server_error"),
            (UnprintableError(), f"{__name__}.UnprintableError", "server_error"),
            (ExceptionGroup("a", [ValueError()]), "ExceptionGroup", "server_error"),
            (asyncio.CancelledError(), "", "cancelled"),
            (BaseExceptionGroup("a", [asyncio.CancelledError()]), "", "cancelled"),
        ],
    )
    def test_exception_reaches_server_and_is_recorded(
        self, direct: DirectCalls, error: BaseException, kind: str, outcome: str
    ) -> None:
        """An exception of any class reaches the server, and is recorded."""

        async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
            raise error

        with pytest.raises(type(error)) as raised:
            direct.run(fail)

        assert error is raised.value or not kind
        assert ([("", kind)], [outcome]) == (direct.results(), direct.outcomes())
        assert (0.0, set[Any]()) == (direct.active(), direct.faults())

    def test_exception_after_response_leaves_response_good(self, direct: DirectCalls) -> None:
        """An exception after the response leaves the response good, and has a span."""

        async def fail(scope: Scope, receive: Receive, send: Send) -> None:
            await answer(scope, receive, send)
            raise ShopError

        with pytest.raises(ShopError):
            direct.run(fail)

        assert ([("200", "")], ["ok"]) == (direct.results(), direct.outcomes())
        assert ["GET", "teardown"] == [span.name for span in direct.captured.spans()]

    @pytest.mark.parametrize("error", [OSError, asyncio.CancelledError])
    def test_exception_while_sending_is_no_server_error(
        self, direct: DirectCalls, error: type[BaseException]
    ) -> None:
        """A lost connection or a cancellation while sending is no server error."""

        async def lost(_message: Message) -> None:
            raise error

        with pytest.raises(error):
            direct.run(answer, send=lost)
        (outcome,) = direct.outcomes()

        assert [("200", "")] == direct.results()
        assert ("client_disconnect" if error is OSError else "cancelled") == outcome


class TestDisconnects:
    def test_disconnect_that_waits_is_noted_without_receive(self, direct: DirectCalls) -> None:
        """A disconnect that waits is noted, though the application does not receive it."""
        direct.run(sending(started(500), BODY), REQUEST, DISCONNECT)

        assert (["client_disconnect"], [("500", "")]) == (direct.outcomes(), direct.results())

    def test_receive_that_disconnects_at_once_is_asked_once(self, direct: DirectCalls) -> None:
        """A server that always tells of a disconnect is not asked for ever."""

        async def receive() -> Message:
            return DISCONNECT

        direct.run(sending(START, BODY), receive=receive)

        assert ["client_disconnect"] == direct.outcomes()

    @pytest.mark.parametrize(("status", "outcome"), [(200, "ok"), (500, "server_error")])
    def test_disconnect_after_response_is_none(
        self, direct: DirectCalls, status: int, outcome: str
    ) -> None:
        """A disconnect after the response is none."""

        async def receive() -> Message:
            if len(direct.sent) < 2:
                await asyncio.Event().wait()
            return DISCONNECT

        async def app(_scope: Scope, receive: Receive, send: Send) -> None:
            await send(started(status))
            await send(BODY)
            assert DISCONNECT == await receive()

        direct.run(app, receive=receive)

        assert [outcome] == direct.outcomes()

    def test_receive_that_fails_is_fault_of_telemetry(self, direct: DirectCalls) -> None:
        """A look that fails is counted; the response has its ids and its status."""

        async def receive() -> Message:
            raise IndexError

        direct.run(sending(START, BODY), receive=receive)

        assert ([("200", "")], {("request", "IndexError")}) == (direct.results(), direct.faults())
        assert b"x-request-id" in direct.headers

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
    @given(
        st.lists(st.binary(max_size=3), min_size=1, max_size=5), st.integers(0, 5), st.booleans()
    )
    def test_no_byte_of_body_is_lost(
        self, direct: DirectCalls, chunks: list[bytes], before: int, has_length: bool
    ) -> None:
        """No byte of a body is lost, whether the application reads before or after it answers."""
        messages = [
            {"type": "http.request", "body": chunk, "more_body": at < len(chunks)}
            for at, chunk in enumerate(chunks, 1)
        ]
        length = str(sum(map(len, chunks))).encode()
        headers = [(b"content-length", length)] if has_length else [(b"transfer-encoding", b"c")]
        got: list[Message] = []

        async def app(_scope: Scope, receive: Receive, send: Send) -> None:
            got.extend([await receive() for _ in chunks[:before]])
            await send(START)
            while len(got) < len(messages):
                got.append(await receive())
            await send(BODY)

        direct.run(app, *messages, headers=headers)

        assert messages == got


class TestSizes:
    @pytest.mark.parametrize(
        ("headers", "reads", "size"),
        [
            ([(b"content-length", b"3")], False, None),
            ([(b"content-length", b"3")], True, 3),
            ([(b"content-length", b"x")], False, None),
            ([(b"transfer-encoding", b"chunked")], False, None),
            ([(b"transfer-encoding", b"chunked")], True, 3),
        ],
    )
    def test_request_has_exact_size_or_none(
        self, direct: DirectCalls, headers: Any, reads: bool, size: int | None
    ) -> None:
        """A request has an exact size of its body, or none."""

        async def app(_scope: Scope, receive: Receive, send: Send) -> None:
            if reads:
                await read(receive)
            await send(START)
            await send(BODY)

        direct.run(app, {**REQUEST, "body": b"abc"}, headers=headers)

        assert size == direct.span.attributes.get("http.request.body.size")
        recorded = direct.captured.value(HTTP_SERVER_REQUEST_BODY_SIZE) or 0
        assert bool(size) == bool(recorded)

    def test_response_to_head_has_no_size(self, direct: DirectCalls) -> None:
        """A response to HEAD has no size of a body."""
        direct.run(sending(started(headers=[(b"content-length", b"7")]), BODY), method="HEAD")

        assert not direct.captured.value(HTTP_SERVER_RESPONSE_BODY_SIZE)


def write_access_line(written: list[Any]) -> bool:
    """Write an access line as a server does; return True if the request holds the line."""
    record = logging.makeLogRecord({"name": "uvicorn.access", "args": ACCESS})
    return is_held(record, lambda each: written.append(vars(each)))


class TestAccessLine:
    def test_line_is_held_until_end_with_route_and_duration(self, direct: DirectCalls) -> None:
        """The access line is held until the end of the response, and has its duration."""
        times = iter([1.0, 3.5])
        direct.with_options(clock=lambda: next(times))
        written: list[Any] = []
        held: list[Any] = []

        async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send(START)
            held.append((write_access_line(written), list(written)))
            await send(BODY)
            held.append(write_access_line(written))

        direct.run(app)

        assert [(True, []), False] == held
        assert [2.5] == [line["duration_seconds"] for line in written]

    def test_line_is_written_after_fault_of_metrics(
        self, direct: DirectCalls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The access line is written also after a fault of the metrics."""
        written: list[Any] = []

        async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send(START)
            write_access_line(written)
            await send(BODY)

        recorder = direct.engine._exchanges["http"].args[1]  # type: ignore[attr-defined]
        monkeypatch.setattr(recorder.metrics, "sizes", lambda *_: 1 / 0)
        direct.run(app)

        assert (1, {("request", "ZeroDivisionError")}) == (len(written), direct.faults())
        assert 0.0 == direct.active()

    def test_line_without_response_is_written(self, direct: DirectCalls) -> None:
        """The access line of a request whose application fails is written."""
        written: list[Any] = []

        async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
            write_access_line(written)
            raise ShopError

        with pytest.raises(ShopError):
            direct.run(app)

        assert 1 == len(written)
        assert REQUEST_IN_PROGRESS.get() is None


async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Fail before the response."""
    raise ShopError


async def fail_late(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail after the response."""
    await answer(scope, receive, send)
    raise ShopError


async def copy_scope(scope: Scope, receive: Receive, send: Send) -> None:
    """Give a copy of the scope to the router, as some middleware does."""
    await InnermostMiddleware(answer)(dict(scope), receive, send)


@pytest.fixture
def collector() -> Iterator[None]:
    """A garbage collector that does not run by itself."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collector")
class TestMemory:
    @pytest.mark.parametrize("app", [answer, fail, fail_late, copy_scope])
    def test_ended_request_leaves_nothing_to_collector(self, direct: DirectCalls, app: App) -> None:
        """A request that has ended leaves nothing to the garbage collector, also after an error."""

        async def requests(number: int) -> None:
            for _ in range(number):
                try:
                    await direct.call(app)
                except ShopError:
                    continue

        async def measure() -> int:
            await requests(3)
            gc.collect()
            await requests(50)
            return gc.collect()

        assert 0 == asyncio.run(measure())
