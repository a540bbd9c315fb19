from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from opentelemetry import trace

from otel_meta import configure, instrument_asgi
from otel_meta.repos import Aurora
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.runtime.tracing.tail_sampling import KEPT
from otel_meta.testing.otlp_receiver import OtlpReceiver
from otel_meta.web.asgi import Message, Receive, Scope, Send

NEVER: Final = "always_off"
RATIO: Final = "parentbased_traceidratio"


async def shop(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer by the path, after work in a span of its own."""
    tracer: Any = scope["state"]["tracer"]
    with tracer.start_as_current_span("work", attributes={"flags": 0}):
        if scope["path"] == "/slow":
            await asyncio.sleep(0.11)  # above the bound of Aurora's latency SLO
        if scope["path"] == "/raises":
            raise ValueError("no stock")
    status = 500 if scope["path"] == "/fails" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


async def request(app: Any, tracer: Any, path: str, *headers: tuple[bytes, bytes]) -> None:
    """Send a request, whatever comes of it."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": list(headers),
        "state": {"tracer": tracer},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(_message: Message) -> None:
        """Drop the response."""

    try:
        await app(scope, receive, send)
    except ValueError:
        assert path == "/raises"


class Shop:
    """An application with tail sampling, and the receiver of its spans."""

    def __init__(self, receiver: OtlpReceiver, telemetry: Telemetry) -> None:
        self.receiver = receiver
        self.telemetry = telemetry
        self.app = instrument_asgi(shop, telemetry)
        assert telemetry.traces is not None
        self._tracer = telemetry.traces.provider.get_tracer("shop")

    def serve(self, *paths: str, caller: bytes | None = None) -> None:
        """Serve requests, and export their spans."""
        headers = [] if caller is None else [(b"traceparent", caller)]

        async def serve_all() -> None:
            for path in paths:
                await request(self.app, self._tracer, path, *headers)

        asyncio.run(serve_all())
        self.telemetry.flush()

    def spans(self) -> list[Any]:
        """Return the received spans."""
        return [each.span for each in self.receiver.spans()]

    def served(self) -> list[str]:
        """Return the paths of the received server spans."""
        return [_attribute(span, "url.path") for span in self.spans() if span.name == "GET"]

    def faults(self) -> dict[tuple[str, ...], float]:
        """Return the counted faults."""
        return {cell.labels: cell.value for cell in self.telemetry.faults.family.cells()}


@contextmanager
def started(sampler: str, ratio: str = "0", **variables: str) -> Generator[Shop]:
    """Start the application."""
    environ = {
        "OTEL_TRACES_SAMPLER": sampler,
        "OTEL_TRACES_SAMPLER_ARG": ratio,
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_META_TAIL_SAMPLING": "true",
        **variables,
    }
    with (
        OtlpReceiver() as receiver,
        configure(
            "shop",
            Aurora,
            otlp_endpoint=receiver.endpoint,
            set_global=False,
            log_stream=None,
            environ=environ,
        ) as telemetry,
    ):
        yield Shop(receiver, telemetry)


def _attribute(span: Any, name: str) -> str:
    found: dict[str, str] = {each.key: each.value.string_value for each in span.attributes}
    return found.get(name, "")


class TestDecision:
    def test_every_failing_request_has_its_trace_and_few_good_ones(self) -> None:
        """With a ratio of 1 %, all failing requests have their spans, and about 1 % of others."""
        with started(RATIO, "0.01") as service:
            service.serve(*["/ok"] * 49, "/fails")
            service.serve(*(["/ok"] * 99 + ["/raises"]) * 20)
            served, spans = service.served(), service.spans()

        assert 21 == len(served) - served.count("/ok")
        assert 3 <= served.count("/ok") <= 50  # 20 of 2,029 with a deviation of 4.5
        assert len(served) == sum(span.name == "work" for span in spans)

    def test_request_above_bound_of_slo_is_kept_with_reason(self) -> None:
        """A good answer above the bound of the latency SLO is kept, and says why."""
        with started(NEVER) as service:
            service.serve("/slow", "/ok")
            (root,) = [span for span in service.spans() if span.name == "GET"]

        assert "slo" == _attribute(root, KEPT)

    def test_request_above_threshold_is_kept(self) -> None:
        """A variable has the threshold of slow requests that no SLO has."""
        with started(NEVER, OTEL_META_TAIL_SAMPLING_SLOW="0.0000001") as service:
            service.serve("/ok")

            assert ["/ok"] == service.served()

    def test_trace_that_caller_left_out_is_kept_if_bad(self) -> None:
        """A failing request of a caller that does not sample continues the caller's trace."""
        caller = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
        with started("parentbased_always_on") as service:
            service.serve("/fails", "/ok", caller=caller)
            traces = {span.trace_id.hex() for span in service.spans()}

        assert {"0af7651916cd43dd8448eb211c80319c"} == traces

    def test_flag_of_undecided_request_is_not_set(self) -> None:
        """An undecided span is recorded without the flag, so that no exemplar claims its trace."""
        with started(NEVER) as service:
            traces = service.telemetry.traces
            assert traces is not None
            span = traces.provider.get_tracer("shop").start_span("GET")

            assert span.is_recording()
            assert not span.get_span_context().trace_flags.sampled
            with trace.use_span(span):
                assert service.telemetry.storage.spans.exemplar(1.0) is None


class TestBounds:
    def test_spans_without_room_are_counted_if_request_is_bad(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A bad request lacks the spans that found no room, and a fault counts them."""
        monkeypatch.setattr("otel_meta.runtime.tracing.tail_sampling.MAX_OF_TRACE", 0)
        with started(NEVER) as service:
            service.serve("/ok", "/fails")

            assert ["GET"] == [span.name for span in service.spans()]
            assert 1 == service.faults()["tail sampling", "undecided"]

    def test_room_is_free_again_after_each_request(self) -> None:
        """No room is lost, whether a request is kept, dropped or never ends."""
        with started(NEVER) as service:
            tail: Any = service.telemetry.traces and service.telemetry.traces.tail
            before = len(tail._room)
            service.serve("/ok", "/fails", "/raises")
            root = tail.trace_of(None, 1, is_root=True)
            root._hold(None)
            del root

            assert before == len(tail._room)

    def test_spans_of_later_work_follow_the_decision(self) -> None:
        """A span that ends after its kept request is exported, one of a dropped is not made."""
        with started(NEVER) as service:
            traces = service.telemetry.traces
            assert traces is not None
            tracer = traces.provider.get_tracer("shop")
            for is_bad in (True, False):
                root = tracer.start_span("root")
                context = trace.set_span_in_context(root)
                if is_bad:
                    root.set_status(trace.StatusCode.ERROR)
                root.end()
                later = tracer.start_span(f"later {is_bad}", context)
                assert is_bad == later.is_recording()
                later.end()
            service.telemetry.flush()

            assert ["root", "later True"] == [span.name for span in service.spans()]
