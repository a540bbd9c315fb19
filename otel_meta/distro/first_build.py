"""Instrumentation of an application when it begins to serve.

Before that the application may add middleware and routes, may be instrumented by its own code, and
may end without serving at all, as in a script that prints the schema of an API.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import ref

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.lifecycle.startup_report import IN_APP, startup_report
from otel_meta.runtime.open_telemetry import begin_serving
from otel_meta.runtime.recording.faults import logger
from otel_meta.runtime.recording.native.native_core import NATIVE
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.web.fastapi import instrument_fastapi, is_instrumented, uninstrument_fastapi

from .injected_start import start_telemetry

_BUILD: Final = "build_middleware_stack"
_instrumented: Final[list[ref[Any]]] = []
"""The applications that were instrumented here."""


class FirstBuild:
    """Stands in for ``build_middleware_stack`` of an application until the first call.

    Args:
        app: an application of FastAPI or Starlette.
    """

    def __init__(self, app: Any) -> None:
        self._app: Final = app
        self._build: Final = app.build_middleware_stack
        self._is_waiting = True
        vars(app)[_BUILD] = self

    def __call__(self) -> Any:
        """Instrument the application, unless its own code has done so, and build the stack."""
        was_waiting = self._is_waiting
        self.cancel()
        if not was_waiting or is_instrumented(self._app):
            return self._build()
        _instrument(self._app)
        return self._app.build_middleware_stack()

    def cancel(self) -> None:
        """Leave the application alone from now on."""
        self._is_waiting = False
        if vars(self._app).get(_BUILD) is self:  # else another instrumentation calls this object
            del vars(self._app)[_BUILD]


def uninstrument_all() -> None:
    """Restore the applications that were instrumented here, also while they serve."""
    while _instrumented:
        app = _instrumented.pop()()
        if app is not None:
            uninstrument_fastapi(app)


def _instrument(app: Any) -> None:
    telemetry = start_telemetry()
    if telemetry is None:
        return
    try:
        instrument_fastapi(app, telemetry)
    except Exception as error:
        reraise_interruption(error)
        logger.error("this application is not instrumented: %s", error)
    else:
        _instrumented.append(ref(app, _instrumented.remove))
        _report(telemetry)


def _report(telemetry: Telemetry) -> None:
    telemetry.check_workers()
    if begin_serving(telemetry):
        settings, others = telemetry.settings, tuple(telemetry.foreign.exported())
        report = startup_report(
            settings,
            telemetry.port,
            "standard output",
            IN_APP,
            others=others,
            is_native=NATIVE is not None,
        )
        logger.info("%s", report)
