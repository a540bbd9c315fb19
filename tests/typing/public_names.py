"""Checked by mypy and pyright, never run: both see names that are imported on first use."""

from __future__ import annotations

from typing import assert_type

import otel_meta
from otel_meta import Counter, NoLabels, Telemetry, configure, measures
from otel_meta.errors import ConfigurationError
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from otel_meta.typing import LiveCounter, Measure, SloTracker, Status


def names(retries: LiveCounter[[]]) -> None:
    """Public names have their types."""
    telemetry = configure("atlas")
    assert_type(telemetry, Telemetry)
    assert_type(telemetry.tracker, SloTracker)
    assert_type(telemetry.tracker.statuses(), tuple[Status, ...])
    assert_type(otel_meta.__version__, str)
    assert_type(otel_meta.errors.ConfigurationError, type[ConfigurationError])
    measure: Measure = measures.quantile(HTTP_SERVER_REQUEST_DURATION, "0.99", "7d")
    assert_type(measure.by, tuple[str, ...])
    assert_type(Counter("a.b", "Bees.", NoLabels).name, str)
    retries.add(1)


def misspelt() -> None:
    """An unknown name is an error, though names are looked up at run time."""
    otel_meta.cofigure("atlas")  # type: ignore[attr-defined]
    _ = otel_meta.typing.LiveCount  # type: ignore[attr-defined]
