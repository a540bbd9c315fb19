"""Tests with real servers: runs in the background, and a report at the end of the session.

A test with the marker ``background`` gets the result of the marker's function from the fixture
``background_result``. The function runs once, from the start of the session, since most of its time
is waiting, as in most other tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from otel_meta.runtime.export import otlp_grpc, otlp_http
from tests.backends import reliability_page

_CONCURRENT_RUNS = 6

Run = tuple[Any, ...]
"""A function and its arguments."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    marker = "background(function, *arguments): run a function from the start of the session"
    config.addinivalue_line("markers", marker)


@pytest.fixture(scope="session", autouse=True)
def background_runs(request: pytest.FixtureRequest) -> Iterator[Mapping[Run, Future[Any]]]:
    """The background runs of all tests in this session, by function and arguments."""
    markers = [item.get_closest_marker("background") for item in request.session.items]
    runs = dict.fromkeys(marker.args for marker in markers if marker)
    assert otlp_grpc, otlp_http  # imported here: runs that import them together once got a half
    pool = ThreadPoolExecutor(_CONCURRENT_RUNS)
    yield {run: pool.submit(*run) for run in runs}
    pool.shutdown(cancel_futures=True)


@pytest.fixture
def background_result(
    request: pytest.FixtureRequest, background_runs: Mapping[Run, Future[Any]]
) -> Any:
    """The result of the test's background run."""
    marker = request.node.get_closest_marker("background")
    return background_runs[marker.args].result()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the generated sections of docs/reliability.md."""
    for name, text in reliability_page.current_sections().items():
        terminalreporter.section(name)
        terminalreporter.write_line(text)
    if os.environ.get("RELIABILITY") == "write":
        reliability_page.publish_sections()
