"""Start of telemetry under an injector: an error costs the telemetry, and never the service."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from otel_meta.errors import OtelMetaError, PortInUse
from otel_meta.runtime.configure import configure_injected
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import logger
from otel_meta.runtime.telemetry import Telemetry

_errors: Final[list[Exception]] = []
"""The error of the first start; the environment stays the same, and so does the error."""


def start_telemetry() -> Telemetry | None:
    """Return the open telemetry of this process, started from the environment if there is none.

    Returns:
        None if telemetry cannot start, which is logged once.
    """
    if _errors:
        return None
    try:
        with _importable_working_directory():
            return _start()
    except Exception as error:
        reraise_interruption(error)
        _errors.append(error)
        logger.error("this process runs without telemetry: %s", _text(error))
        return None


def _start() -> Telemetry:
    try:
        return configure_injected()
    except PortInUse as error:  # every process of a container has the same variables
        telemetry = configure_injected(prometheus_port=None)
        logger.warning("telemetry starts without a port of its own: %s", error)
        return telemetry


@contextmanager
def _importable_working_directory() -> Generator[None]:
    """Find the meta-repository of ``OTEL_META_REPO``, as servers find the application later."""
    folder = os.getcwd()  # noqa: PTH109 - entries of sys.path are texts
    if sys.flags.safe_path or folder in sys.path:
        yield
        return
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _text(error: Exception) -> str:
    if isinstance(error, OtelMetaError):
        return str(error)
    return f"{type(error).__name__}: {error}"
