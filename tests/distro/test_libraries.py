from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest
from opentelemetry.instrumentation.dependencies import DependencyConflict, DependencyConflictError

from otel_meta import instrument_libraries
from otel_meta.distro import libraries
from otel_meta.testing import CapturedTelemetry, capture
from tests.conftest import Run

GROUP = "opentelemetry_instrumentor"
SWITCHED_OFF = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


class Instrumentor:
    """Counts calls, as an instrumentor of contrib that has nothing to do."""

    is_instrumented_by_opentelemetry = False
    calls = 0

    def instrument(self, **_options: Any) -> None:
        """Count a call."""
        type(self).calls += 1


class Missing(Instrumentor):
    """The instrumentor of a library that is not installed."""

    def instrument(self, **_options: Any) -> None:
        """Raise as contrib does."""
        raise DependencyConflictError(DependencyConflict("nosuch"))


class Broken(Instrumentor):
    """An instrumentor with a fault."""

    def instrument(self, **_options: Any) -> None:
        """Fail."""
        raise RuntimeError("broken")


@pytest.fixture
def captured() -> Iterator[CapturedTelemetry]:
    """Captured telemetry."""
    with capture() as captured:
        yield captured


def offer(monkeypatch: pytest.MonkeyPatch, **places: str) -> None:
    """Replace the installed instrumentors."""
    entries = [EntryPoint(name, f"{__name__}:{place}", GROUP) for name, place in places.items()]
    monkeypatch.setattr(libraries, "entry_points", lambda group: EntryPoints(entries))
    Instrumentor.calls = 0


CLIENT = """
from contextlib import suppress
import httpx
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from otel_meta import configure, instrument_libraries

telemetry = configure("shop")
telemetry.traces.provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
instrument_libraries()
with suppress(httpx.ConnectError):
    httpx.get("http://127.0.0.1:9", trust_env=False)
"""


def test_installed_library_records(script: Callable[..., Run]) -> None:
    """An HTTP client has spans with the stable attributes, once libraries are instrumented."""
    run = script(CLIENT)

    assert '"http.request.method": "GET"' in run.stdout, run.stderr


class TestChoice:
    def test_web_frameworks_are_left_out(
        self, captured: CapturedTelemetry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Instrumentors of what instrument_fastapi instruments are left out."""
        offer(monkeypatch, fastapi="Instrumentor", starlette="Instrumentor", redis="Instrumentor")

        assert ("redis",) == instrument_libraries(captured.telemetry)

    @pytest.mark.parametrize(
        ("variable", "expected"), [("redis, celery", ("httpx",)), ("*", ()), ("", None)]
    )
    def test_variable_leaves_libraries_out(
        self,
        captured: CapturedTelemetry,
        monkeypatch: pytest.MonkeyPatch,
        variable: str,
        expected: tuple[str, ...] | None,
    ) -> None:
        """The standard variable leaves libraries out."""
        offer(monkeypatch, redis="Instrumentor", celery="Instrumentor", httpx="Instrumentor")
        monkeypatch.setenv(SWITCHED_OFF, variable)
        every = ("celery", "httpx", "redis")

        assert (every if expected is None else expected) == instrument_libraries(captured.telemetry)

    def test_active_library_is_not_instrumented_again(
        self, captured: CapturedTelemetry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A library that is instrumented already stays as it is, and is named."""
        offer(monkeypatch, redis="Instrumentor")
        monkeypatch.setattr(Instrumentor, "is_instrumented_by_opentelemetry", True)

        assert (("redis",), 0) == (instrument_libraries(captured.telemetry), Instrumentor.calls)


class TestFaults:
    def test_missing_library_is_no_fault(
        self, captured: CapturedTelemetry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A library that is not installed is left out without a fault."""
        offer(monkeypatch, nosuch="Missing")

        assert () == instrument_libraries(captured.telemetry)
        assert 0 == captured.telemetry.faults.count()

    def test_failing_instrumentor_is_counted(
        self, captured: CapturedTelemetry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A failing instrumentor is a counted fault, and the others are active."""
        offer(monkeypatch, broken="Broken", redis="Instrumentor")

        assert ("redis",) == instrument_libraries(captured.telemetry)
        assert 1 == captured.telemetry.faults.count()


def test_one_line_names_the_libraries(
    captured: CapturedTelemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line names the instrumented libraries."""
    offer(monkeypatch, redis="Instrumentor", celery="Instrumentor")
    with caplog.at_level(logging.INFO, "otel_meta"):
        instrument_libraries(captured.telemetry)

    assert ["instrumented libraries: celery, redis"] == caplog.messages
