"""Somewhere to send to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_meta.testing.otlp_receiver import OtlpReceiver


@pytest.fixture
def sink() -> Iterator[OtlpReceiver]:
    """Receives what a second configuration file sends there."""
    with OtlpReceiver() as sink:
        yield sink
