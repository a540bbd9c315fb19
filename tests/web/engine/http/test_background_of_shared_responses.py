from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.responses import PlainTextResponse, Response

from otel_meta import instrument_fastapi
from otel_meta.testing import CapturedTelemetry
from tests.web.frameworks.routing import request


async def notify() -> None:
    """Do nothing."""


def send_shared(captured: CapturedTelemetry, background: Any, **options: Any) -> list[Any]:
    """Send one response to three requests, and return the spans of background tasks."""
    app = FastAPI()
    shared = PlainTextResponse("closed", background=background)

    @app.get("/")
    async def closed() -> Response:
        return shared

    instrument_fastapi(app, captured.telemetry, **options)
    for _ in range(3):
        request(app, "/")
    return [span for span in captured.spans() if "background" in span.name]


class TestSharedResponse:
    @pytest.mark.parametrize(
        "background",
        [BackgroundTask(notify), BackgroundTasks([BackgroundTask(notify)])],
        ids=["task", "tasks"],
    )
    def test_task_has_one_span_for_each_request(
        self, captured_telemetry: CapturedTelemetry, background: Any
    ) -> None:
        """The task of a response to several requests has one span below each request."""
        spans = send_shared(captured_telemetry, background)
        every: list[Any] = list(captured_telemetry.spans())
        servers = [span for span in every if span.name == "GET /"]

        assert [span.context.span_id for span in servers] == [span.parent.span_id for span in spans]

    def test_task_of_excluded_request_has_no_span(
        self, captured_telemetry: CapturedTelemetry
    ) -> None:
        """The task of a response to an excluded request has no span."""
        background = BackgroundTask(notify)
        assert 3 == len(send_shared(captured_telemetry, background))
        send_shared(captured_telemetry, background, exclude=["/"])

        assert 6 == len(captured_telemetry.spans())
