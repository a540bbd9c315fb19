"""Random bytes to an application with and without telemetry: the responses are the same."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from otel_meta.testing import capture
from tests.web.cases.driver import Request, ask
from tests.web.cases.engines import ENGINES
from tests.web.cases.recorded import DURATION, Recorded
from tests.web.differential.application import build
from tests.web.differential.comparison import faults, pair
from tests.web.differential.connections import BODIES, METHODS, NAMES, PATHS, VALUES, random_sending

CONNECTIONS = settings(
    max_examples=25,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
"""The same connections in each run, because some wait for a time limit of the server."""
CALLS = settings(CONNECTIONS, max_examples=100)

names = st.sampled_from([name.lower() for name in NAMES])
headers = st.lists(st.tuples(names, st.sampled_from(VALUES) | st.binary(max_size=9)), max_size=5)
targets = st.sampled_from([path for path in PATHS + BODIES if path.startswith(b"/")])
cuts = st.none() | st.integers(0, 4)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Draw a request, and when its client leaves or its connection breaks."""
    return Request(
        draw(targets) + b"?" + draw(st.sampled_from((b"", b"a=1", b"%FF=%GG"))),
        draw(st.sampled_from([name.decode() for name in METHODS])),
        draw(headers),
        draw(st.sampled_from(((b"",), (b"{}",), (b"a", b"b" * 70_000), (b"", b"", b"")))),
        leaves_after=draw(cuts),
        breaks_after=draw(cuts),
    )


class TestConnections:
    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("http", ["h11", "httptools"])
    def test_responses_are_those_without_telemetry(self, engine: str, http: str) -> None:
        """Any bytes on a connection get the bytes that they get without telemetry."""
        with pair(engine, http) as applications:

            @CONNECTIONS
            @given(st.integers(0, 2**32))
            def compare(seed: int) -> None:
                assert "" == applications.difference(random_sending(Random(seed)))

            compare()
            applications.check()


class TestCalls:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_messages_are_those_without_telemetry(self, engine: str) -> None:
        """A client that leaves at any message gets the messages that it gets without telemetry."""
        with capture() as captured:
            bare, recorded = build(), Recorded(captured, build(), engine)
            count = 0

            @CALLS
            @given(requests())
            def compare(request: Request) -> None:
                nonlocal count
                count += 1
                assert ask(bare, request).without_ids() == recorded.ask(request).without_ids()

            compare()
            samples = sum(value for _, value in recorded.series(f"{DURATION}_count"))

        assert [] == faults(recorded)
        assert count == samples == len(recorded.spans())
        assert 0 == recorded.active()
