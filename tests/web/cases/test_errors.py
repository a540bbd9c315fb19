from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from .app import ShopError, build
from .conftest import Instrument
from .driver import Request, ask
from .recorded import Recorded, Sample, ServerSpan, exceptions, seconds

SHOP_ERROR = f"{ShopError.__module__}.{ShopError.__qualname__}"


class TestExceptions:
    @pytest.mark.parametrize(
        ("path", "error"),
        [
            pytest.param("/fail", SHOP_ERROR, id="handler"),
            pytest.param("/broken-dependency", "RuntimeError", id="dependency"),
        ],
    )
    def test_exception_is_status_500_with_its_class(
        self, recorded: Recorded, path: str, error: str
    ) -> None:
        """An exception is status 500 with its class, on the span and on the sample."""
        recorded.ask(path)

        assert [ServerSpan(f"GET {path}", path, "500", error, "ERROR")] == recorded.server_spans()
        assert {Sample("GET", path, "500", error): 1} == recorded.samples()

    def test_exception_is_on_span_once(self, recorded: Recorded) -> None:
        """The exception of a handler is on the span once."""
        recorded.ask("/fail")

        assert [SHOP_ERROR] == exceptions(recorded.span())

    def test_exception_reaches_server(self, recorded: Recorded) -> None:
        """The exception of a handler reaches the server, as without telemetry."""
        response = recorded.ask("/fail")

        assert isinstance(response.error, ShopError)

    def test_exception_after_response_leaves_response_good(self, recorded: Recorded) -> None:
        """An exception of a dependency after the response leaves the response good."""
        response = recorded.ask("/session")

        assert 200 == response.status
        assert {Sample("GET", "/session"): 1} == recorded.samples()
        assert ServerSpan("GET /session", "/session") == recorded.server_spans()[0]

    def test_exception_after_response_is_visible_in_traces(self, recorded: Recorded) -> None:
        """An exception of a dependency after the response is visible in the trace."""
        recorded.ask("/session")

        found = [name for span in recorded.captured.spans() for name in exceptions(span)]
        assert [SHOP_ERROR] == found


def background(recorded: Recorded) -> list[ReadableSpan]:
    """Return the spans of background tasks."""
    return [span for span in recorded.captured.spans() if "background" in span.name]


class TestBackgroundTasks:
    def test_background_task_is_no_part_of_duration(self, recorded: Recorded) -> None:
        """A background task is no part of the duration of its request."""
        recorded.ask("/slow-task")

        assert 0.2 > recorded.duration()
        assert 0.2 > seconds(recorded.span())

    def test_background_task_has_span_of_its_own(self, recorded: Recorded) -> None:
        """A background task has a span of its own in the trace of its request."""
        recorded.ask("/slow-task")

        (span,) = background(recorded)
        assert recorded.span().context.trace_id == span.context.trace_id
        assert 0.2 <= seconds(span)

    def test_failed_background_task_leaves_request_good(self, recorded: Recorded) -> None:
        """A failed background task leaves its request good."""
        response = recorded.ask("/failing-task")

        assert 200 == response.status
        assert {Sample("GET", "/failing-task"): 1} == recorded.samples()
        assert ["200"] == [span.status for span in recorded.server_spans()]
        assert [StatusCode.UNSET] == [span.status.status_code for span in recorded.spans()]

    def test_failed_background_task_is_error_on_its_own_span(self, recorded: Recorded) -> None:
        """A failed background task is an error on its own span, with its exception once."""
        recorded.ask("/failing-task")

        (span,) = background(recorded)
        assert StatusCode.ERROR == span.status.status_code
        assert [SHOP_ERROR] == exceptions(span)

    def test_background_task_of_uninstrumented_application_has_no_span(
        self, instrument: Instrument
    ) -> None:
        """A background task of an application without telemetry has no span."""
        recorded = instrument()
        ask(build(), Request("/slow-task"))

        assert () == recorded.captured.spans()
