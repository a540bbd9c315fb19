from __future__ import annotations

from typing import Any

import pytest

from otel_meta.runtime.logs.exceptions import ids_of
from otel_meta.web.asgi import Receive, Scope, Send
from tests.web.engine.direct_calls import DirectCalls, answer

PARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


class SlottedError(Exception):
    """An exception class that refuses new attributes."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("__"):
            raise AttributeError(name)
        super().__setattr__(name, value)


class TestIds:
    def test_response_names_request_and_span(self, direct: DirectCalls) -> None:
        """The response has the caller's request id and the ids of the server span."""
        direct.run(answer, headers=[(b"x-request-id", b"order-7")])
        span = direct.span.context
        ids = f"00-{span.trace_id:032x}-{span.span_id:016x}-".encode()

        assert b"order-7" == direct.headers[b"x-request-id"]
        assert direct.headers[b"server-timing"].startswith(b"trace;desc=" + ids)
        assert b"traceresponse" not in direct.headers

    def test_traceresponse_is_sent_by_option(self, direct: DirectCalls) -> None:
        """The header traceresponse is sent by option."""
        direct.with_options(traceresponse=True)
        direct.run(answer)
        timing = direct.headers[b"server-timing"]

        assert b"trace;desc=" + direct.headers[b"traceresponse"] == timing

    @pytest.mark.parametrize("kind", [ValueError, SlottedError])
    def test_exception_carries_ids_for_log_of_server(
        self, direct: DirectCalls, kind: type[Exception]
    ) -> None:
        """An exception carries the ids for the log of the server, whatever its class allows."""

        async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
            raise kind

        with pytest.raises(kind) as raised:
            direct.run(fail, headers=[(b"x-request-id", b"order-7")])
        ids = ids_of(raised.value)

        assert "order-7" == ids["request_id"]
        assert f"{direct.span.context.trace_id:032x}" == ids["trace_id"]


class TestSpan:
    def test_trace_of_caller_continues(self, direct: DirectCalls) -> None:
        """The trace of the caller continues; a public application begins a trace with a link."""
        direct.run(answer, headers=[(b"traceparent", PARENT.encode())])
        direct.with_options(public=True)
        direct.run(answer, headers=[(b"traceparent", PARENT.encode())])
        inside, public = direct.captured.spans()
        assert inside.parent is not None

        assert 0x0123456789ABCDEF == inside.parent.span_id
        assert (None, [0x0123456789ABCDEF]) == (
            public.parent,
            [link.context.span_id for link in public.links],
        )

    @pytest.mark.parametrize(
        ("method", "name"), [("GET", "GET"), ("EVIL", "HTTP"), ("DELETE", "DELETE")]
    )
    def test_name_without_route_is_method(
        self, direct: DirectCalls, method: str, name: str
    ) -> None:
        """The name of a span without a route is the method; of unknown methods HTTP."""
        direct.run(answer, method=method)

        assert name == direct.span.name

    def test_span_and_sample_have_equal_durations(self, direct: DirectCalls) -> None:
        """A span lasts as long as the sample says."""
        times = iter([10.0, 12.5])
        direct.with_options(clock=lambda: next(times))
        direct.run(answer)

        assert 2_500_000_000 == direct.span.end_time - direct.span.start_time

    def test_hook_gets_span_and_scope(self, direct: DirectCalls) -> None:
        """A hook gets the recording span and the scope before the application runs."""
        seen: list[Any] = []

        def hook(span: Any, scope: Scope) -> None:
            span.set_attribute("tenant", "a")
            seen.append(scope["path"])

        direct.with_options(request_hook=hook)
        direct.run(answer)

        assert (["/items/7"], "a") == (seen, direct.span.attributes["tenant"])

    def test_hook_is_not_called_without_recording_span(self, direct: DirectCalls) -> None:
        """A hook is not called for a request that is not sampled."""
        seen: list[Any] = []
        direct.with_options(request_hook=lambda *args: seen.append(args))
        direct.run(answer, headers=[(b"traceparent", PARENT[:-1].encode() + b"0")])

        assert ([], 1) == (seen, len(direct.results()))
