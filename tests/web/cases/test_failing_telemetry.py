from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler

from .app import build
from .conftest import Instrument
from .driver import Request, ask
from .recorded import Recorded, Sample

TARGETS = ("/items/7", "/fail", "/stream")


class FailingProcessor(SpanProcessor):
    """A processor whose one method fails.

    Args:
        method: the name of the method.
    """

    def __init__(self, method: str) -> None:
        setattr(self, method, self.fail)

    def fail(self, *_: Any, **__: Any) -> None:
        """Raise."""
        raise RuntimeError("processor")


class FailingSampler(Sampler):
    """A sampler that fails."""

    def should_sample(self, *_: Any, **__: Any) -> Any:
        """Raise."""
        raise RuntimeError("sampler")

    def get_description(self) -> str:
        """Return a name."""
        return "failing"


class Unprintable:
    """A value of the path whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def assert_unaffected(recorded: Recorded) -> None:
    """Compare responses with those without telemetry, and look for their samples."""
    bare = build()
    for target in TARGETS:
        assert ask(bare, Request(target)).without_ids() == recorded.ask(target).without_ids()
    assert len(TARGETS) == recorded.samples().total()
    assert 0 == recorded.active()


class TestRequestIsUnaffected:
    @pytest.mark.parametrize("method", ["on_start", "on_end", "_on_ending"])
    def test_by_failing_span_processor(self, recorded: Recorded, method: str) -> None:
        """A span processor that fails leaves responses and samples as they are."""
        traces = recorded.captured.telemetry.traces
        assert traces is not None
        traces.provider.add_span_processor(FailingProcessor(method))

        assert_unaffected(recorded)

    def test_by_failing_sampler(self, recorded: Recorded) -> None:
        """A sampler that fails leaves responses and samples as they are."""
        traces = recorded.captured.telemetry.traces
        assert traces is not None
        traces.provider.sampler = FailingSampler()

        assert_unaffected(recorded)

    def test_by_failing_request_hook(self, instrument: Instrument) -> None:
        """A request hook that fails leaves responses as they are, and is counted as a fault."""

        def hook(*_: Any, **__: Any) -> None:
            raise RuntimeError("hook")

        recorded = instrument(request_hook=hook)

        assert_unaffected(recorded)
        assert len(TARGETS) == recorded.captured.telemetry.faults.count()

    def test_by_path_value_without_text(self, instrument: Instrument) -> None:
        """A value of the path whose text cannot be made leaves the sample as it is."""
        app = build()

        async def spoil(scope: Any, receive: Any, send: Any) -> None:
            scope["path_params"]["item_id"] = Unprintable()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        app.mount("/spoilt/{item_id}", spoil)
        recorded = instrument(app)
        response = recorded.ask("/spoilt/7/x")

        assert (200, None) == (response.status, response.error)
        assert [1] == list(recorded.samples().values())
        assert {"200"} == {sample.status for sample in recorded.samples()}

    def test_failing_processor_is_counted(self, recorded: Recorded) -> None:
        """A span processor that fails is counted as a fault of telemetry."""
        telemetry = recorded.captured.telemetry
        assert telemetry.traces is not None
        telemetry.traces.provider.add_span_processor(FailingProcessor("on_start"))
        recorded.ask("/items/7")
        recorded.ask("/items/7")

        assert 2 == telemetry.faults.count()
        assert {Sample("GET", "/items/{item_id}"): 2} == recorded.samples()
