"""The options of `configure`: each row declares an option for callers, editors and type checkers.

The docstring of `configure` documents each row; a test compares rows and docstring. If the option
is a setting, `Settings` has a field, and `read_settings` adds the environment variable.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from os import PathLike
from typing import BinaryIO, TypedDict


class Options(TypedDict, total=False):
    """Keyword arguments of `configure`; None has the effect of leaving an argument out.

    Exceptions are ``prometheus_port`` and ``log_stream``, for which None is a value.
    """

    namespace: str | None
    resource_attributes: Mapping[str, str] | None
    identity_attributes: str | Collection[str] | None
    traces: str | Collection[str] | None
    metrics: str | Collection[str] | None
    logs: str | Collection[str] | None
    otlp_endpoint: str | None
    prometheus_host: str | None
    prometheus_port: int | None
    prometheus_token: str | None
    merge_prometheus_client: bool | None
    prometheus_created: bool | None
    redaction: bool | None
    redact_names: str | Collection[str] | None
    workers: bool | None
    slo_path: str | PathLike[str] | None
    slo_required_coverage: float | None
    tail_sampling: bool | None
    tail_sampling_slow: float | None
    metric_interval: float | None
    scrape_interval: float | None
    job: bool | None
    max_series: int | None
    log_level: str | int | None
    log_format: str | None
    log_stream: BinaryIO | None
    cache_loggers: bool
    shutdown_timeout: float | None
    export_on_sigterm: bool | None
    set_global: bool
    environ: Mapping[str, str]
    clock: Callable[[], float]
