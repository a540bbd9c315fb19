from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
import trio

from otel_meta.runtime.logs.access import REQUEST_IN_PROGRESS
from otel_meta.web.asgi import Message, Receive, Scope, Send
from otel_meta.web.engine.marks import EXCHANGE
from tests.web.engine.direct_calls import (
    BODY,
    REQUEST,
    START,
    DirectCalls,
    answer,
    receiving,
    scope_of,
)


class ShopError(Exception):
    """An exception class of the application."""


class SpoiltScope(dict[str, Any]):
    """A scope whose route cannot be read."""

    def get(self, key: str, default: Any = None) -> Any:
        """Raise for the endpoint."""
        if key == "endpoint":
            raise RuntimeError
        return super().get(key, default)


async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Fail before the response."""
    raise ShopError


async def fail_late(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail after the response."""
    await answer(scope, receive, send)
    raise ShopError


def failing_clock(good: int) -> Callable[[], float]:
    """Return a clock that works for some calls, and then fails."""
    times = iter(range(good))
    return lambda: float(next(times))


class TestBegin:
    def test_request_is_served_without_records_if_it_cannot_begin(
        self, direct: DirectCalls
    ) -> None:
        """A request is served without records if its clock fails at the beginning."""
        direct.with_options(clock=failing_clock(0))

        assert [START, BODY] == direct.run(answer)
        assert ([], 0.0) == (direct.results(), direct.active())
        assert {("request", "StopIteration")} == direct.faults()

    def test_scope_that_cannot_be_marked_is_served(self, direct: DirectCalls) -> None:
        """A scope that cannot be marked is served, and the context is left as it was."""
        scope: Any = MappingProxyType(scope_of())
        asyncio.run(_call(direct, answer, scope))

        assert [START, BODY] == direct.sent
        assert {("request", "TypeError")} == direct.faults()

    def test_scope_without_headers_is_served(self, direct: DirectCalls) -> None:
        """A scope without headers, which breaks the specification, is served."""
        scope = scope_of()
        del scope["headers"]
        asyncio.run(_call(direct, answer, scope))

        assert [START, BODY] == direct.sent
        assert 0.0 == direct.active()

    def test_mark_is_in_scope_during_request_alone(self, direct: DirectCalls) -> None:
        """The mark of the request is in the scope during the request alone."""
        scope, seen = scope_of(), list[bool]()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(EXCHANGE in scope)
            await answer(scope, receive, send)

        asyncio.run(_call(direct, app, scope))

        assert ([True], False) == (seen, EXCHANGE in scope)


async def _call(direct: DirectCalls, app: Any, scope: Scope) -> None:
    await direct.engine(app, scope, receiving([REQUEST]), direct.send)


class TestEnd:
    @pytest.mark.parametrize(("app", "raises"), [(answer, False), (fail, True), (fail_late, True)])
    def test_route_that_cannot_be_read_is_empty(
        self, direct: DirectCalls, app: Any, raises: bool
    ) -> None:
        """A route that cannot be read is empty; the application's exception is not replaced."""
        scope = SpoiltScope(scope_of())
        if raises:
            with pytest.raises(ShopError):
                asyncio.run(_call(direct, app, scope))
        else:
            asyncio.run(_call(direct, app, scope))

        assert (1, 0.0) == (len(direct.results()), direct.active())
        assert {("request", "RuntimeError")} == direct.faults()

    @pytest.mark.parametrize("good", [1, 2])
    def test_clock_that_fails_later_leaves_outcome(self, direct: DirectCalls, good: int) -> None:
        """A clock that fails after the beginning leaves response and outcome as they are."""
        direct.with_options(clock=failing_clock(good))
        direct.run(answer)

        assert (["ok"], 0.0) == (direct.outcomes(), direct.active())

    @pytest.mark.parametrize("step", ["finish", "fail"])
    def test_fault_of_step_leaves_exception(
        self, direct: DirectCalls, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        """A fault in a step of the end does not replace the exception of the application."""

        def broken(*_: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr(f"otel_meta.web.engine.http.http_exchange.HttpExchange.{step}", broken)
        with pytest.raises(ShopError):
            direct.run(fail)

        assert {("request", "RuntimeError")} == direct.faults()

    def test_context_is_left_after_fault(
        self, direct: DirectCalls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The context of a request is left, though the end of the request cannot be reported."""

        def broken(*_: Any) -> None:
            raise RuntimeError

        async def serve() -> Any:
            await direct.call(answer)
            return REQUEST_IN_PROGRESS.get()

        monkeypatch.setattr("otel_meta.web.engine.http.http_exchange.HttpExchange.finish", broken)

        assert None is asyncio.run(serve())

    @pytest.mark.parametrize("method", ["end", "sizes"])
    def test_metrics_that_fail_leave_response(
        self, direct: DirectCalls, monkeypatch: pytest.MonkeyPatch, method: str
    ) -> None:
        """Metrics that fail leave the response as it is, and are counted as a fault."""

        def broken(*_: Any) -> None:
            raise RuntimeError

        metrics = "otel_meta.web.engine.http.http_metrics.HttpMetrics"
        monkeypatch.setattr(f"{metrics}.{method}", broken)

        assert [200] == [each["status"] for each in direct.run(answer) if "status" in each]
        assert {("request", "RuntimeError")} == direct.faults()


class TestEventLoops:
    def test_trio_application_is_recorded(self, direct: DirectCalls) -> None:
        """An application under trio is recorded; the server is not asked for a message."""
        asked: list[int] = []

        async def receive() -> Message:
            asked.append(1)
            await trio.sleep_forever()
            raise AssertionError

        async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
            await trio.lowlevel.checkpoint()
            await send(START)
            await send(BODY)

        async def serve() -> None:
            await direct.engine(app, scope_of(), receive, direct.send)

        trio.run(serve)

        assert (["ok"], []) == (direct.outcomes(), asked)

    def test_trio_cancellation_is_no_server_error(self, direct: DirectCalls) -> None:
        """A request that trio cancels, also in a group of tasks, is no server error."""

        async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                await trio.sleep_forever()

        async def serve() -> None:
            with trio.move_on_after(0.01):
                await direct.engine(app, scope_of(), receiving([]), direct.send)

        trio.run(serve)

        assert (["cancelled"], 0.0) == (direct.outcomes(), direct.active())

    def test_concurrent_requests_end_in_any_order(self, direct: DirectCalls) -> None:
        """Concurrent requests, some of which fail, leave no request active."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(0)
            if scope["path"] == "/fail":
                raise ShopError
            await answer(scope, receive, send)

        async def serve() -> list[Any]:
            paths = ["/fail", "/", "/fail", "/"] * 10
            calls = [direct.call(app, path=path) for path in paths]
            return await asyncio.gather(*calls, return_exceptions=True)

        results = asyncio.run(serve())

        assert 20 == sum(isinstance(result, ShopError) for result in results)
        assert (40, 0.0) == (len(direct.results()), direct.active())
