from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry.trace import get_current_span
from structlog.contextvars import get_contextvars

from otel_meta.runtime.logs.access import REQUEST_IN_PROGRESS, UNHELD_REQUEST
from otel_meta.web.asgi import Receive, Scope, Send
from otel_meta.web.engine.fresh_context import RequestContext
from otel_meta.web.engine.marks import EXCHANGE
from otel_meta.web.engine.unrecorded import UnrecordedRequests
from tests.web.engine.direct_calls import REQUEST, DirectCalls, answer, receiving, scope_of


class TestUnrecordedRequests:
    def test_request_has_no_span_and_no_sample(self, direct: DirectCalls) -> None:
        """An excluded request has no span, no sample and no headers, nor have child spans."""
        assert direct.captured.telemetry.traces is not None
        tracer = direct.captured.telemetry.traces.provider.get_tracer("a")
        seen: list[Any] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            with tracer.start_as_current_span("child"):
                seen.append(get_current_span().get_span_context().is_valid)
            seen.append(REQUEST_IN_PROGRESS.get())
            seen.append(EXCHANGE in scope)
            seen.append(list(get_contextvars()))
            await answer(scope, receive, send)

        asyncio.run(
            UnrecordedRequests(RequestContext(), UNHELD_REQUEST)(
                app, scope_of(), receiving([REQUEST]), direct.send
            )
        )

        assert [True, UNHELD_REQUEST, True, ["request_id"]] == seen
        assert ((), []) == (direct.captured.spans(), direct.results())
        assert {} == direct.headers

    def test_context_is_restored_after_exception(self, direct: DirectCalls) -> None:
        """The context is restored after an exception of the application."""

        async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
            raise ValueError("a")

        async def serve() -> tuple[Any, ...]:
            with pytest.raises(ValueError, match="a"):
                await UnrecordedRequests(RequestContext(), UNHELD_REQUEST)(
                    fail, scope_of(), receiving([]), direct.send
                )
            return get_contextvars(), get_current_span().is_recording(), REQUEST_IN_PROGRESS.get()

        assert ({}, False, None) == asyncio.run(serve())
