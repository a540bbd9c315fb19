"""An OTLP receiver as the destination of the Collectors under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_meta.testing.otlp_receiver import OtlpReceiver


@pytest.fixture
def sink() -> Iterator[OtlpReceiver]:
    """Receive the data of a Collector with the second file of `send_to`."""
    with OtlpReceiver() as sink:
        yield sink
