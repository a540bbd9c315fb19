"""Plugin for pytest with the fixture ``captured_telemetry``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .telemetry_capture import CapturedTelemetry


@pytest.fixture
def captured_telemetry() -> Iterator[CapturedTelemetry]:
    """Spans, series and log lines of the test, from the application's telemetry if there is any."""
    # A local import: pytest loads this file in every run, also where telemetry is not tested.
    from .telemetry_capture import capture_process  # noqa: PLC0415

    with capture_process() as captured:
        yield captured
