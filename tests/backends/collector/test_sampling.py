"""Which traces a gateway keeps."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from otel_meta.testing.otlp_sink import OtlpSink
from tests.backends.collector.support import (
    AURORA,
    FOREIGN,
    NEBULA,
    SENTINEL,
    to,
)
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import send_grpc, span

CLIENT = SpanKind.CLIENT
CASES: dict[str, tuple[bool, Callable[[], ReadableSpan]]] = {
    "an error": (True, lambda: span("s", FOREIGN, error="")),
    "a broken stream": (True, lambda: span("s", NEBULA, error__type="StreamBroken")),
    "slower than promised": (True, lambda: span("s", NEBULA, seconds=0.11)),
    "as fast as promised": (False, lambda: span("s", NEBULA, seconds=0.09)),
    "a slow call to another": (False, lambda: span("s", NEBULA, seconds=0.2, kind=CLIENT)),
    "slow inference": (True, lambda: span("s", SENTINEL, seconds=0.6)),
    "quick inference": (False, lambda: span("s", SENTINEL, seconds=0.4)),
    "a slow query": (True, lambda: span("s", AURORA, seconds=0.06, kind=CLIENT)),
    "a request with quick queries": (False, lambda: span("s", AURORA, seconds=0.06)),
    "slow where nothing is promised": (False, lambda: span("s", FOREIGN, seconds=30)),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The cases whose traces a gateway keeps that keeps nothing by chance."""
    folder = tmp_path_factory.mktemp("gateway") / "gateway"
    named = {name: make() for name, (_, make) in CASES.items()}
    with OtlpSink() as sink:
        variables = {"DECISION_WAIT": "1s", "SAMPLING_PERCENT": 0}
        with Collector("gateway.yaml", folder, to(sink), **variables) as gateway:
            gateway.wait_until_ready()
            address = f"127.0.0.1:{gateway.ports['GATEWAY']}"
            send_grpc(address, *named.values())
        # Ended gently, it decides about what waits, and hands it on.
        ids = {received.span.trace_id for received in sink.spans()}
    return {name for name, s in named.items() if s.get_span_context().trace_id.to_bytes(16) in ids}


class TestSampling:
    @pytest.mark.parametrize("name", CASES)
    def test_decision(self, name: str, kept: set[str]) -> None:
        """A trace is kept if it shows what an SLO counts as bad, or an error."""
        assert CASES[name][0] == (name in kept)

    def test_whole_traces(self, tmp_path: Path, sink: OtlpSink) -> None:
        """The good spans of a trace are kept with its bad one."""
        one = random.getrandbits(128)
        spans = [span("good", AURORA, trace_id=one), span("bad", NEBULA, error="", trace_id=one)]
        variables = {"DECISION_WAIT": "1s", "SAMPLING_PERCENT": 0}
        with Collector("gateway.yaml", tmp_path / "g", to(sink), **variables) as gateway:
            gateway.wait_until_ready()
            for each in spans:
                send_grpc(f"127.0.0.1:{gateway.ports['GATEWAY']}", each)

        assert {"good", "bad"} == {received.span.name for received in sink.spans()}

    def test_rest(self, tmp_path: Path, sink: OtlpSink) -> None:
        """Of the rest, as many are kept as the variable says."""
        variables = {"DECISION_WAIT": "1s", "SAMPLING_PERCENT": 100}
        with Collector("gateway.yaml", tmp_path / "g", to(sink), **variables) as gateway:
            gateway.wait_until_ready()
            address = f"127.0.0.1:{gateway.ports['GATEWAY']}"
            send_grpc(address, *(span("fine", FOREIGN) for _ in range(50)))

        assert 50 == len(sink.spans())
