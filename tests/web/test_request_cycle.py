from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_meta.web.request_cycle import Outcome, RequestCycle

START = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}
BODY = {"type": "http.response.body", "body": b"x"}
MORE = {"type": "http.response.body", "body": b"x", "more_body": True}


class OddError(Exception):
    """An error of an application's own."""


class Bench:
    """An exchange, what came out of it, and what was reported of it."""

    def __init__(self, lost: type[BaseException] | None = None) -> None:
        self.sent: list[Any] = []
        self.outcomes: list[Outcome] = []
        self._lost = lost
        self.exchange = RequestCycle(self._send, "an-id", self.outcomes.append)

    def run(self, messages: Iterable[Any], error: BaseException | None = None) -> Outcome:
        """Send messages, and end; what was reported."""
        asyncio.run(self._run(messages, error))
        (outcome,) = self.outcomes
        return outcome

    async def _run(self, messages: Iterable[Any], error: BaseException | None) -> None:
        try:
            for message in messages:
                await self.exchange.send(message)
        except OSError as lost:
            self.exchange.failed(lost)
        if error is not None:
            self.exchange.failed(error)
        self.exchange.finish()

    async def _send(self, message: Any) -> None:
        self.sent.append(message)
        if self._lost is not None and message["type"] == "http.response.body":
            raise self._lost


def start(status: int) -> dict[str, Any]:
    """The first message of a response."""
    return {**START, "status": status}


class TestOutcome:
    @pytest.mark.parametrize("status", [200, 204, 302, 403, 404, 499])
    def test_answered(self, status: int) -> None:
        """A response below 500 is no error."""
        outcome = Bench().run([start(status), BODY])

        assert (str(status), "") == outcome[1:]

    @pytest.mark.parametrize("status", [500, 503, 599])
    def test_server_error(self, status: int) -> None:
        """A status from 500 on is the error."""
        assert (str(status), str(status)) == Bench().run([start(status), BODY])[1:]

    def test_raised(self) -> None:
        """The exception behind a server error names it better than the status does."""
        outcome = Bench().run([start(500), BODY], OddError())

        assert ("500", f"{__name__}.OddError") == outcome[1:]

    def test_builtin(self) -> None:
        """Exceptions of the language are called as everybody calls them."""
        assert ("500", "ValueError") == Bench().run([start(500), BODY], ValueError())[1:]

    def test_after(self) -> None:
        """What is raised after the last byte, in a background task, is not the response's."""
        assert ("200", "") == Bench().run([START, BODY], ValueError())[1:]

    def test_midway(self) -> None:
        """A stream that fails midway is an error, whatever its status."""
        assert ("200", "ValueError") == Bench().run([START, MORE], ValueError())[1:]

    def test_incomplete(self) -> None:
        """A response that just stops is an error, too."""
        assert ("200", "incomplete_response") == Bench().run([START, MORE])[1:]
        assert ("", "incomplete_response") == Bench().run([])[1:]

    def test_cancelled(self) -> None:
        """A request that was given up is no error of the server's."""
        assert ("", "") == Bench().run([], asyncio.CancelledError())[1:]

    @pytest.mark.parametrize("lost", [OSError, ConnectionResetError, BrokenPipeError])
    def test_client_left(self, lost: type[BaseException]) -> None:
        """Neither is a client that left."""
        assert ("200", "") == Bench(lost).run([START, MORE])[1:]

    def test_trailers(self) -> None:
        """Trailers after the body belong to it."""
        trailers = {"type": "http.response.trailers", "headers": [], "more_trailers": False}

        assert ("200", "") == Bench().run([{**START, "trailers": True}, BODY, trailers])[1:]

    @pytest.mark.parametrize("kind", ["http.response.pathsend", "http.response.zerocopysend"])
    def test_file(self, kind: str) -> None:
        """A file that the server sends by itself completes a response."""
        assert ("200", "") == Bench().run([START, {"type": kind, "path": "/a", "file": 1}])[1:]

    def test_once(self) -> None:
        """A response is reported once, however often it ends."""
        bench = Bench()
        bench.run([START, BODY])
        bench.exchange.finish()

        assert 1 == len(bench.outcomes)


class TestDuration:
    def test_last_byte(self) -> None:
        """The time ends with the last byte, and is reported then if nothing can follow."""
        bench = Bench()

        async def answer() -> None:
            await bench.exchange.send(START)
            await bench.exchange.send(BODY)

        asyncio.run(answer())
        (outcome,) = bench.outcomes

        assert 0 <= outcome.seconds < 5

    def test_server_error(self) -> None:
        """Of a server error too, though it is reported when the application is done."""
        bench = Bench()

        async def answer() -> None:
            await bench.exchange.send(start(500))
            await bench.exchange.send(BODY)

        asyncio.run(answer())
        before = time.perf_counter() - bench.exchange._started
        time.sleep(0.2)
        bench.exchange.finish()

        assert bench.outcomes[0].seconds <= before


class TestHeaders:
    def test_passed_on(self) -> None:
        """Messages are passed on as they came, but for the ids on the first."""
        bench = Bench()
        bench.run([START, MORE, BODY])

        assert [MORE, BODY] == bench.sent[1:]
        assert [(b"a", b"b"), (b"x-request-id", b"an-id")] == bench.sent[0]["headers"]
        assert [(b"a", b"b")] == START["headers"]

    def test_traceresponse(self) -> None:
        """Within a span, the caller is told which."""
        bench = Bench()
        context = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))
        with trace.use_span(NonRecordingSpan(context)):
            bench.run([START, BODY])

        assert (
            b"traceresponse",
            b"00-00000000000000000000000000000abc-0000000000000def-01",
        ) in bench.sent[0]["headers"]

    def test_no_headers(self) -> None:
        """A response without headers gets the ids as well."""
        bench = Bench()
        bench.run([{"type": "http.response.start", "status": 200}, BODY])

        assert [(b"x-request-id", b"an-id")] == bench.sent[0]["headers"]

    def test_own(self) -> None:
        """A request id that the application sends itself is the one that is sent."""
        bench = Bench()
        bench.run([{**START, "headers": [(b"X-Request-ID", b"its-own")]}, BODY])

        assert [(b"X-Request-ID", b"its-own")] == bench.sent[0]["headers"]
