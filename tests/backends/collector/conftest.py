"""Somewhere to send to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_meta.testing.otlp_sink import OtlpSink


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    """Receives what a second configuration file sends there."""
    with OtlpSink() as sink:
        yield sink
