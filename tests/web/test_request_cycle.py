from __future__ import annotations

import asyncio
import re
import string
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_meta.testing import FakeClock
from otel_meta.web.request_cycle import Outcome, RequestCycle, choose_request_id

NEW_ID = re.compile(r"[0-9a-f]{32}")
SAFE_IDS = st.text(string.ascii_letters + string.digits + "._~:/+=-", min_size=1, max_size=128)
START = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}
BODY = {"type": "http.response.body", "body": b"x"}
MORE = {"type": "http.response.body", "body": b"x", "more_body": True}


class OddError(Exception):
    """An exception class of the application."""


class CycleHarness:
    """A request cycle with its sent messages and its reported outcomes."""

    def __init__(self, lost: type[BaseException] | None = None) -> None:
        self.sent: list[Any] = []
        self.outcomes: list[Outcome] = []
        self._lost = lost
        self.cycle = RequestCycle(self._send, "an-id", self.outcomes.append)

    def run(self, messages: Iterable[Any], error: BaseException | None = None) -> Outcome:
        """Send messages, finish, and return the outcome."""
        asyncio.run(self._run(messages, error))
        (outcome,) = self.outcomes
        return outcome

    async def _run(self, messages: Iterable[Any], error: BaseException | None) -> None:
        try:
            for message in messages:
                await self.cycle.send(message)
        except OSError as lost:
            self.cycle.record_exception(lost)
        if error is not None:
            self.cycle.record_exception(error)
        self.cycle.finish()

    async def _send(self, message: Any) -> None:
        self.sent.append(message)
        if self._lost is not None and message["type"] == "http.response.body":
            raise self._lost


def start(status: int) -> dict[str, Any]:
    """Return the first message of a response."""
    return {**START, "status": status}


class TestOutcome:
    @pytest.mark.parametrize("status", [200, 204, 302, 403, 404, 499])
    def test_status_below_500_is_no_error(self, status: int) -> None:
        """A status below 500 is no error."""
        outcome = CycleHarness().run([start(status), BODY])

        assert (str(status), "") == outcome[1:]

    @pytest.mark.parametrize("status", [500, 503, 599])
    def test_status_of_500_or_above_is_error_type(self, status: int) -> None:
        """A status of 500 or above is the error type."""
        assert (str(status), str(status)) == CycleHarness().run([start(status), BODY])[1:]

    def test_class_of_exception_is_error_type_instead_of_status(self) -> None:
        """The class of an exception is the error type instead of the status."""
        outcome = CycleHarness().run([start(500), BODY], OddError())

        assert ("500", f"{__name__}.OddError") == outcome[1:]

    def test_error_type_of_built_in_exception_has_no_module(self) -> None:
        """The error type of a built-in exception has no module."""
        assert ("500", "ValueError") == CycleHarness().run([start(500), BODY], ValueError())[1:]

    def test_exception_after_last_byte_is_not_error_of_response(self) -> None:
        """An exception after the last byte is not an error of the response."""
        assert ("200", "") == CycleHarness().run([START, BODY], ValueError())[1:]

    def test_stream_that_fails_before_its_end_is_error(self) -> None:
        """A stream that fails before its end is an error."""
        assert ("200", "ValueError") == CycleHarness().run([START, MORE], ValueError())[1:]

    def test_response_without_end_is_error(self) -> None:
        """A response without an end is an error."""
        assert ("200", "incomplete_response") == CycleHarness().run([START, MORE])[1:]
        assert ("", "incomplete_response") == CycleHarness().run([])[1:]

    def test_cancelled_request_is_no_error(self) -> None:
        """A cancelled request is no error."""
        assert ("", "") == CycleHarness().run([], asyncio.CancelledError())[1:]

    @pytest.mark.parametrize("lost", [OSError, ConnectionResetError, BrokenPipeError])
    def test_lost_connection_is_no_error(self, lost: type[BaseException]) -> None:
        """A lost connection is no error."""
        assert ("200", "") == CycleHarness(lost).run([START, MORE])[1:]

    def test_trailers_after_body_change_nothing(self) -> None:
        """Trailers after the body change nothing."""
        trailers = {"type": "http.response.trailers", "headers": [], "more_trailers": False}

        assert ("200", "") == CycleHarness().run([{**START, "trailers": True}, BODY, trailers])[1:]

    @pytest.mark.parametrize("kind", ["http.response.pathsend", "http.response.zerocopysend"])
    def test_file_sent_by_server_completes_response(self, kind: str) -> None:
        """A file sent by the server completes the response."""
        assert ("200", "") == CycleHarness().run([START, {"type": kind, "path": "/a", "file": 1}])[
            1:
        ]

    def test_outcome_is_reported_once(self) -> None:
        """The outcome is reported once."""
        harness = CycleHarness()
        harness.run([START, BODY])
        harness.cycle.finish()

        assert 1 == len(harness.outcomes)


class TestDuration:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> FakeClock:
        """The clock of request cycles."""
        clock = FakeClock()
        monkeypatch.setattr("otel_meta.web.request_cycle.perf_counter", clock)
        return clock

    def test_duration_ends_with_last_byte_and_is_reported_then(self, clock: FakeClock) -> None:
        """The duration ends with the last byte, and is reported then."""
        harness = CycleHarness()

        async def respond() -> None:
            await harness.cycle.send(START)
            clock.advance(2)
            await harness.cycle.send(BODY)

        asyncio.run(respond())

        assert [2.0] == [outcome.seconds for outcome in harness.outcomes]

    def test_duration_of_server_error_ends_with_last_byte(self, clock: FakeClock) -> None:
        """The duration of a server error ends with the last byte, and is reported at the end."""
        harness = CycleHarness()

        async def respond() -> None:
            await harness.cycle.send(start(500))
            clock.advance(2)
            await harness.cycle.send(BODY)

        asyncio.run(respond())
        before_end = list(harness.outcomes)
        clock.advance(3)
        harness.cycle.finish()

        assert [] == before_end
        assert [2.0] == [outcome.seconds for outcome in harness.outcomes]


class TestHeaders:
    def test_messages_are_sent_unchanged_except_for_ids_in_first(self) -> None:
        """Messages are sent unchanged, except for the ids in the first."""
        harness = CycleHarness()
        harness.run([START, MORE, BODY])

        assert [MORE, BODY] == harness.sent[1:]
        assert [(b"a", b"b"), (b"x-request-id", b"an-id")] == harness.sent[0]["headers"]
        assert [(b"a", b"b")] == START["headers"]

    def test_within_span_response_has_its_traceresponse_header(self) -> None:
        """Within a span, the response has its traceresponse header."""
        harness = CycleHarness()
        context = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))
        with trace.use_span(NonRecordingSpan(context)):
            harness.run([START, BODY])

        assert (
            b"traceresponse",
            b"00-00000000000000000000000000000abc-0000000000000def-01",
        ) in harness.sent[0]["headers"]

    def test_response_without_headers_gets_ids(self) -> None:
        """A response without headers gets the ids."""
        harness = CycleHarness()
        harness.run([{"type": "http.response.start", "status": 200}, BODY])

        assert [(b"x-request-id", b"an-id")] == harness.sent[0]["headers"]

    def test_request_id_set_by_application_is_kept(self) -> None:
        """A request id set by the application is kept."""
        harness = CycleHarness()
        harness.run([{**START, "headers": [(b"X-Request-ID", b"its-own")]}, BODY])

        assert [(b"X-Request-ID", b"its-own")] == harness.sent[0]["headers"]


class TestChooseRequestId:
    @given(SAFE_IDS)
    def test_safe_id_is_returned_unchanged(self, received: str) -> None:
        """A safe id is returned unchanged."""
        assert received == choose_request_id(received)

    @given(st.text(max_size=200))
    def test_every_id_is_received_one_or_new_short_one_word(self, received: str) -> None:
        """Every id is the received one or new, short, one word, and safe in headers and logs."""
        chosen = choose_request_id(received)

        assert chosen == received or NEW_ID.fullmatch(chosen)
        assert re.fullmatch(r"[!-~]{1,128}", chosen)
        assert not set(chosen) & set("\"'\\<>{}%,;")

    @pytest.mark.parametrize(
        "unsafe",
        [
            "",
            " ",
            "a b",
            "a\nb",
            "a\r\nset-cookie: x",
            "a\n",
            '"}',
            "\x1b[31m",
            "<script>",
            "é",
            "a" * 129,
            "a\x00",
            "../../etc passwd",
        ],
    )
    def test_unsafe_id_is_replaced_by_new_one(self, unsafe: str) -> None:
        """An unsafe id is replaced by a new one."""
        assert NEW_ID.fullmatch(choose_request_id(unsafe))

    def test_new_ids_are_unique(self) -> None:
        """New ids are unique."""
        assert 1000 == len({choose_request_id("") for _ in range(1000)})
