"""The line at the start of telemetry: what was decided, and where each signal goes."""

from __future__ import annotations

from collections.abc import Container
from typing import Final
from urllib.parse import urlsplit

from otel_meta.runtime.settings import Settings
from otel_meta.runtime.signals import Signal

_ORDER: Final[tuple[Signal, ...]] = ("metrics", "traces", "logs")
"""Metrics first: the question of most readers is where these can be scraped."""


IN_APP: Final = "on /metrics"
"""Where a scrape finds the metrics of an instrumented application."""


def startup_report(
    settings: Settings,
    port: int | None,
    lines: str | None,
    page: str = f"{IN_APP} after instrument_fastapi(app)",
    *,
    others: Container[Signal] = (),
    is_native: bool = False,
) -> str:
    """Return the line.

    Args:
        settings: the settings of telemetry.
        port: the open port of /metrics; None if there is none.
        lines: the destination of log lines; None if telemetry leaves logging to the application.
        page: where a scrape finds metrics without a port.
        others: the signals that are left to another library.
        is_native: True if the native core records.
    """
    if settings.disabled:
        return f"telemetry of {_service(settings)} is disabled by OTEL_SDK_DISABLED"
    found = {signal: _targets(settings, signal, port, lines, page) for signal in _ORDER}
    targets = [f"{signal} {_words(found[signal], signal in others)}" for signal in _ORDER]
    core = "; recording in C" if is_native else ""
    return f"telemetry of {_service(settings)}: {', '.join(targets)}{_workers(settings)}{core}"


def _service(settings: Settings) -> str:
    namespace = f" ({settings.namespace})" if settings.namespace else ""
    return f"{settings.service_name}{namespace}"


def _words(targets: list[str], is_of_others: bool) -> str:
    others = ["left to another library"] if is_of_others else []
    return " and ".join([*targets, *others]) or "not exported"


def _targets(
    settings: Settings, signal: Signal, port: int | None, lines: str | None, page: str
) -> list[str]:
    names = settings.exporters[signal]
    found = [_target(settings, signal, name, port, page) for name in names]
    if signal == "logs" and lines is not None:
        found.insert(0, f"to {lines}")
    return found


def _target(settings: Settings, signal: Signal, name: str, port: int | None, page: str) -> str:
    match name:
        case "otlp":
            return f"to {_otlp_address(settings, signal)}"
        case "prometheus" if port is not None:
            return f"on http://{settings.prometheus_host}:{port}/metrics"
        case "prometheus":
            return page
        case _:
            return f"to {name}"


def _otlp_address(settings: Settings, signal: Signal) -> str:
    """Return the address of a Collector without the path, user and password."""
    otlp = settings.otlp
    is_http = otlp.protocols[signal].startswith("http")
    default = "http://localhost:4318" if is_http else "http://localhost:4317"
    url = otlp.signal_endpoints.get(signal) or otlp.endpoint or default
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else url


def _workers(settings: Settings) -> str:
    directory = settings.workers_directory
    return "" if directory is None else f"; workers share {directory}"
