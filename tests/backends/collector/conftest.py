"""An OTLP receiver as the destination of the Collectors under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_meta.testing.otlp_sink import OtlpSink


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    """Receive the data of a Collector with the second file of `send_to`."""
    with OtlpSink() as sink:
        yield sink
