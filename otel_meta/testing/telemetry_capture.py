"""Real telemetry with spans, series and log lines captured in memory."""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from opentelemetry.sdk.trace import ReadableSpan

from otel_meta.model import Instrument, MetaRepo, Slo
from otel_meta.runtime.configure import configure
from otel_meta.runtime.telemetry import OPEN, Telemetry
from otel_meta.status.events import Events

from .clock import FakeClock
from .observed_telemetry import ObservedTelemetry, observed

RepoT = TypeVar("RepoT", bound=MetaRepo)

_VARIABLES_OF_SPANS: Final = ("OTEL_SDK_DISABLED", "OTEL_TRACES_SAMPLER")
_IS_ISOLATED: Final = ContextVar("is_isolated", default=False)
"""True while a capture configures telemetry, which no other capture follows."""


class CapturedTelemetry:
    """Spans, log lines and changes of series since the start of the capture.

    The telemetry of an application counts on from test to test. The capture takes the values at
    its start as zero.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock: Final = clock
        """The clock of telemetry that the capture has configured."""
        self._followed: Final[list[ObservedTelemetry]] = []
        self._spans: Final[list[ReadableSpan]] = []
        self._lines: Final[list[bytes]] = []
        self._undo: Final = ExitStack()

    @property
    def telemetry(self) -> Telemetry:
        """The captured telemetry; the latest one if the test has configured several."""
        return self._followed[-1].telemetry

    def follow(self, telemetry: Telemetry) -> None:
        """Capture this telemetry as well, from now on."""
        if telemetry not in [each.telemetry for each in self._followed]:
            block = observed(telemetry, self._spans.append, self._lines.append)
            self._followed.append(self._undo.enter_context(block))

    def bind(self, repo: type[RepoT]) -> RepoT:
        """Return an instance of a meta-repository with live instruments."""
        return self.telemetry.bind(repo)

    def value(self, instrument: Instrument[...], **labels: str) -> float | None:
        """Return the value of a series: a sum, a gauge's latest value, a histogram's count.

        Sums and counts are those since the start of the capture.

        Args:
            instrument: the declared instrument.
            **labels: label values; series that differ only in other labels are added up.

        Returns:
            The value, or None if there is no such series.
        """
        changes = [followed.change(instrument, labels) for followed in self._followed]
        found = [change for change in changes if change is not None]
        if found and not instrument.traits.is_additive:
            return found[-1]
        return sum(found) if found else None

    def slo_events(self, slo: Slo) -> Events:
        """Return the bad and total events of an SLO since the start of the capture.

        Raises:
            KeyError: the meta-repository of the SLO is not bound.
        """
        changes = [followed.events(slo) for followed in self._followed]
        found = [events for events in changes if events is not None]
        if not found:
            raise KeyError(slo.name)
        return Events(sum(e.bad for e in found), sum(e.total for e in found))

    def spans(self) -> tuple[ReadableSpan, ...]:
        """Return the ended spans, oldest first."""
        if not self._spans:
            self._warn_of_variables()
        return tuple(self._spans)

    def _warn_of_variables(self) -> None:
        """Name the variables that may be the cause of an application without spans."""
        found = [name for name in _VARIABLES_OF_SPANS if name in os.environ]
        if found and any(each.telemetry in OPEN for each in self._followed):
            warnings.warn(
                f"no span was captured, and the environment has {' and '.join(found)}; remove such "
                "variables in conftest.py, before the application is imported",
                stacklevel=3,
            )

    def logs(self) -> list[dict[str, Any]]:
        """Return the log lines as dictionaries, oldest first."""
        return [json.loads(line) for line in self._lines]

    def prometheus_text(self, accept: str = "") -> str:
        """Return the response to a scrape; "" if metrics are not exported to Prometheus.

        Args:
            accept: the Accept header of the scrape.
        """
        scrape = self.telemetry.scrape
        return "" if scrape is None else scrape.render(accept)[0].decode()

    def close(self) -> None:
        """End the capture; the captured values stay readable."""
        self._undo.close()


@contextmanager
def capture(
    service_name: str | Telemetry = "service-under-test",
    repo: type[MetaRepo] | None = None,
    **settings: Any,
) -> Generator[CapturedTelemetry]:
    """Capture the telemetry of an application, or configure captured telemetry.

    Configured telemetry is shut down at the end. Global providers and the environment stay
    unchanged, so a test can capture repeatedly.

    Args:
        service_name: the telemetry of an application, or the name of the service.
        repo: the meta-repository of the service, as for `configure`.
        **settings: further arguments of `configure`.
    """
    with closing(CapturedTelemetry(FakeClock())) as captured:
        if isinstance(service_name, Telemetry):
            captured.follow(service_name)
            yield captured
        else:
            with _isolated(captured, service_name, repo, **settings):
                yield captured


@contextmanager
def capture_process() -> Generator[CapturedTelemetry]:
    """Capture the telemetry that this process has configured, or configures inside the block.

    Until the process configures telemetry, the captured telemetry is that of `capture`.
    """
    with closing(CapturedTelemetry(FakeClock())) as captured, ExitStack() as undo:
        for telemetry in OPEN:
            captured.follow(telemetry)
        isolated = None if OPEN else undo.enter_context(_isolated(captured, "service-under-test"))

        def follow(opened: Telemetry) -> None:
            if _IS_ISOLATED.get():
                return
            if isolated is not None:
                isolated.logs.uninstall()  # before the application installs its own
            captured.follow(opened)

        with OPEN.watched_by(follow):
            yield captured


@contextmanager
def _isolated(
    captured: CapturedTelemetry,
    service_name: str,
    repo: type[MetaRepo] | None = None,
    **settings: Any,
) -> Generator[Telemetry]:
    """Configure telemetry for a test, captured from its first log line on."""
    defaults: dict[str, Any] = {
        "prometheus_port": None,
        "log_stream": io.BytesIO(),
        "cache_loggers": False,
        "set_global": False,
        "environ": {},
        "scrape_interval": 0,
        "clock": captured.clock,
    }
    mark = _IS_ISOLATED.set(True)
    try:
        with OPEN.watched_by(captured.follow):
            telemetry = configure(service_name, repo, **(defaults | settings))
    finally:
        _IS_ISOLATED.reset(mark)
    OPEN.discard(telemetry)  # no telemetry of the process
    with telemetry:
        yield telemetry
