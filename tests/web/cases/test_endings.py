from __future__ import annotations

import pytest

from .driver import Request
from .recorded import FIRST_BYTE, RESPONSE_SIZE, Recorded, Sample, ServerSpan, exceptions, seconds
from .test_errors import SHOP_ERROR


class TestStreams:
    def test_stream_lasts_to_its_last_byte(self, recorded: Recorded) -> None:
        """The duration of a stream lasts to its last byte, on the span and in the sample."""
        recorded.ask("/stream")

        assert 0.04 <= recorded.duration()
        assert 0.04 <= seconds(recorded.span())

    def test_span_and_sample_have_same_duration(self, recorded: Recorded) -> None:
        """The span and the sample of a request have the same duration."""
        recorded.ask("/stream")

        assert seconds(recorded.span()) == pytest.approx(recorded.duration(), abs=1e-6)

    @pytest.mark.parametrize("path", ["/stream", "/events"])
    def test_stream_has_time_to_first_byte(self, recorded: Recorded, path: str) -> None:
        """A stream has a time to its first byte, which is shorter than its duration."""
        recorded.ask(path)

        ((_, count),) = recorded.series(f"{FIRST_BYTE}_count")
        ((_, first),) = recorded.series(f"{FIRST_BYTE}_sum")
        assert 1 == count
        assert 0 < first < recorded.duration() - 0.03

    def test_stream_that_fails_keeps_status_and_has_error(self, recorded: Recorded) -> None:
        """A stream that fails midway keeps its status, and has the class of its exception."""
        recorded.ask("/broken-stream")

        route = "/broken-stream"
        expected = ServerSpan(f"GET {route}", route, "200", SHOP_ERROR, "ERROR")
        assert [expected] == recorded.server_spans()
        assert {Sample("GET", route, "200", SHOP_ERROR): 1} == recorded.samples()

    def test_exception_of_stream_is_on_span_once(self, recorded: Recorded) -> None:
        """The exception of a stream is on the span once, whole groups of exceptions included."""
        recorded.ask("/broken-stream")

        assert 1 == len(exceptions(recorded.span()))

    @pytest.mark.parametrize("path", ["/trailers", "/file"])
    def test_last_message_other_than_body_ends_request(self, recorded: Recorded, path: str) -> None:
        """Trailers and a file sent by its path end a request."""
        recorded.ask(path)

        assert {Sample("GET", path): 1} == recorded.samples()
        assert {"ok": 1} == recorded.outcomes()


class TestOutcome:
    @pytest.mark.parametrize(
        ("request_", "outcome"),
        [
            pytest.param(Request("/items/7"), "ok", id="response"),
            pytest.param(Request("/session"), "ok", id="exception after response"),
            pytest.param(Request("/failing-task"), "ok", id="failed background task"),
            pytest.param(Request("/items/x"), "client_error", id="validation"),
            pytest.param(Request("/fail"), "server_error", id="exception"),
            pytest.param(Request("/closed"), "server_error", id="middleware"),
            pytest.param(Request("/broken-stream"), "server_error", id="stream fails"),
            pytest.param(
                Request("/endless", leaves_after=3), "client_disconnect", id="client leaves stream"
            ),
            pytest.param(
                Request("/endless", breaks_after=3), "client_disconnect", id="connection breaks"
            ),
            pytest.param(
                Request("/wait?seconds=0.01", leaves_after=0),
                "client_disconnect",
                id="client leaves before response",
            ),
            pytest.param(Request("/wait", is_cancelled=True), "cancelled", id="task cancelled"),
            pytest.param(Request("/silent"), "incomplete_response", id="no response"),
            pytest.param(Request("/headers-only"), "incomplete_response", id="no body"),
            pytest.param(Request("/half"), "incomplete_response", id="half a body"),
        ],
    )
    def test_request_has_one_outcome(
        self, recorded: Recorded, request_: Request, outcome: str
    ) -> None:
        """A request has one outcome, on the span and in the counter."""
        recorded.ask(request_)

        assert {outcome: 1} == recorded.outcomes()
        assert outcome == (recorded.span().attributes or {}).get("otel_meta.outcome")

    @pytest.mark.parametrize(
        "request_",
        [
            pytest.param(Request("/endless", leaves_after=3), id="client leaves"),
            pytest.param(Request("/endless", breaks_after=3), id="connection breaks"),
            pytest.param(Request("/wait", is_cancelled=True), id="task cancelled"),
        ],
    )
    def test_end_by_client_or_server_is_no_error(
        self, recorded: Recorded, request_: Request
    ) -> None:
        """A request that its client or the server ends is no error of the application."""
        recorded.ask(request_)

        (span,) = recorded.server_spans()
        (sample,) = recorded.samples()
        assert ("", "UNSET") == (span.error, span.code)
        assert "" == sample.error
        assert [] == exceptions(recorded.span())

    def test_cancelled_request_has_no_status(self, recorded: Recorded) -> None:
        """A request that is cancelled before its response has no status."""
        recorded.ask(Request("/wait", is_cancelled=True))

        assert [""] == [span.status for span in recorded.server_spans()]
        assert [""] == [sample.status for sample in recorded.samples()]

    def test_missing_response_is_error(self, recorded: Recorded) -> None:
        """A request without a response is an error, on the span and in the sample."""
        recorded.ask("/silent")

        error = "incomplete_response"
        expected = ServerSpan("GET /silent", "/silent", "", error, "ERROR")
        assert [expected] == recorded.server_spans()
        assert {Sample("GET", "/silent", "", error): 1} == recorded.samples()

    def test_no_ended_request_stays_active(self, recorded: Recorded) -> None:
        """No request stays active after its end, however it ends."""
        for request in (
            Request("/items/7"),
            Request("/fail"),
            Request("/broken-stream"),
            Request("/endless", leaves_after=1),
            Request("/endless", breaks_after=1),
            Request("/wait", is_cancelled=True),
            Request("/silent"),
            Request("/half"),
        ):
            recorded.ask(request)

        assert 0 == recorded.active()


class TestSizes:
    def test_unsized_response_has_no_size_of_another_response(self, recorded: Recorded) -> None:
        """A response without content-length never has the size of another response."""
        recorded.ask("/sized")
        recorded.ask("/unsized")

        sizes = {
            labels["http_route"]: value for labels, value in recorded.series(f"{RESPONSE_SIZE}_sum")
        }
        assert 3.0 == sizes["/sized"]
        assert sizes.get("/unsized", 8.0) == 8.0
