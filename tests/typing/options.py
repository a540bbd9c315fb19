"""Checked by mypy and pyright, never run: configure() takes the options that it declares."""

from __future__ import annotations

import io

from otel_meta import configure
from otel_meta.runtime.configure_options import Options


def given() -> None:
    """Options of every kind."""
    configure("shop", namespace="acme", traces="otlp", metrics=("otlp", "prometheus"))
    configure("shop", metric_interval=0.5, prometheus_port=None, log_stream=io.BytesIO())
    configure("shop", None, workers=True, environ={"OTEL_LOG_LEVEL": "debug"}, clock=lambda: 1.0)


def passed_on() -> None:
    """Options of a wrapper."""
    kept: Options = {"log_level": "debug", "set_global": False}
    configure("shop", **kept)


def refused() -> None:
    """A misspelt option, options of wrong types, and a third positional argument."""
    configure("shop", metric_intervall=0.5)  # type: ignore[call-arg]
    configure("shop", metric_interval="0.5")  # type: ignore[arg-type]
    configure("shop", None, object())  # type: ignore[call-arg, arg-type]
