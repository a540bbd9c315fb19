"""Plugin for pytest with the fixture ``captured_telemetry``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .telemetry_capture import CapturedTelemetry


@pytest.fixture
def captured_telemetry() -> Iterator[CapturedTelemetry]:
    """Telemetry with spans, series and log lines captured for the test."""
    # A local import: pytest loads this file in every run, also where telemetry is not tested.
    from .telemetry_capture import capture  # noqa: PLC0415

    with capture() as captured:
        yield captured
