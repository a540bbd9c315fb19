"""For pytest: the fixture ``captured_telemetry``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .capture import CapturedTelemetry


@pytest.fixture
def captured_telemetry() -> Iterator[CapturedTelemetry]:
    """Telemetry whose spans, series and log lines the test can look at."""
    # Imported when used: pytest loads this file in every run, before coverage can watch it.
    from .capture import capture  # noqa: PLC0415

    with capture() as captured:
        yield captured
