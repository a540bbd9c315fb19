"""An engine that is called without a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_meta.testing import capture
from tests.web.engine.direct_calls import DirectCalls


@pytest.fixture
def direct() -> Iterator[DirectCalls]:
    """An engine, and the telemetry of its requests."""
    with capture() as captured:
        yield DirectCalls(captured)
