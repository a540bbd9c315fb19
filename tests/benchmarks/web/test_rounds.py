from __future__ import annotations

import sys
from collections.abc import Generator

import pytest
from web import rounds
from web.contenders import BARE, CONTENDERS, CONTRIB, OURS
from web.receiver import Receiver, receiver
from web.rounds import Case, Measure, Size, in_process, measure, under_uvicorn

SMALL = Size(rounds=1, blocks=2, requests=4, clients=2)
CASE = Case(routes=3, sampled=1.0)


@pytest.fixture(autouse=True)
def _interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure with the packages of the tests, so that nothing is installed."""
    monkeypatch.setattr(rounds, "interpreter", lambda: sys.executable)


@pytest.fixture
def server() -> Generator[Receiver]:
    """Receive what the measured processes export."""
    with receiver() as running:
        yield running


@pytest.mark.parametrize("how", [in_process, under_uvicorn])
def test_measured_time_includes_the_export(how: Measure, server: Receiver) -> None:
    """The spans of each request have reached the receiver when a measurement ends."""
    costs = measure([BARE, CONTRIB], CASE, SMALL, server, how)

    assert [0, 1] == [costs[name].spans for name in (BARE, CONTRIB)]
    assert all(cost.microseconds > 0 for cost in costs.values())


def test_sampling_of_a_case_reaches_the_process(server: Receiver) -> None:
    """Without sampled traces, no span is exported."""
    costs = measure([CONTRIB, OURS], Case(1, 0.0), SMALL, server, in_process)

    assert [0, 0] == [cost.spans for cost in costs.values()]


def test_failure_of_a_process_is_no_measurement(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends before its answer fails the measurement."""
    monkeypatch.setitem(vars(rounds), "_SCRIPTS", rounds._SCRIPTS / "missing")
    with pytest.raises((AssertionError, BrokenPipeError)):
        measure([BARE], CASE, SMALL, server, under_uvicorn)


def test_otel_meta_and_the_application_alone_are_measured() -> None:
    """Every table needs the application alone and otel_meta."""
    assert {BARE, OURS} <= set(CONTENDERS)
