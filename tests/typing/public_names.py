"""Checked by mypy and pyright, never run: both see names that are imported on first use."""

from __future__ import annotations

from typing import assert_type

import otel_meta
from otel_meta import Counter, NoLabels, Telemetry, bind, configure, measures
from otel_meta.errors import ConfigurationError
from otel_meta.repos import Aurora
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from otel_meta.typing import LiveCounter, Measure, Ratio, SloTracker, Status, Threshold


def names(retries: LiveCounter[[]]) -> None:
    """Public names have their types."""
    telemetry = configure("atlas")
    assert_type(bind(Aurora), Aurora)
    assert_type(telemetry, Telemetry)
    assert_type(telemetry.tracker, SloTracker)
    assert_type(telemetry.tracker.statuses(), tuple[Status, ...])
    assert_type(otel_meta.__version__, str)
    assert_type(otel_meta.errors.ConfigurationError, type[ConfigurationError])
    measure: Measure = measures.quantile(HTTP_SERVER_REQUEST_DURATION, "0.99", "7d")
    assert_type(measure.by, tuple[str, ...])
    assert_type(Counter("a.b", "Bees.", NoLabels).name, str)
    retries.add(1)


def indicators() -> None:
    """A selection has the indicators of its metric."""
    http = HTTP_SERVER_REQUEST_DURATION
    assert_type(http.where(http_route="/tiles").within(1), Threshold)
    assert_type(http.within(1).where(http_route="/tiles"), Threshold)
    assert_type(http.where(http_route="/tiles").ratio(bad=http.where(error_type="500")), Ratio)
    http.at_most(1)  # type: ignore[attr-defined]


def misspelt() -> None:
    """An unknown name is an error, though names are looked up at run time."""
    otel_meta.cofigure("atlas")  # type: ignore[attr-defined]
    _ = otel_meta.typing.LiveCount  # type: ignore[attr-defined]
