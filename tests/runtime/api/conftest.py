"""The global meter provider, as tests set it."""

from __future__ import annotations

import pytest
from opentelemetry.metrics import MeterProvider

from otel_meta.runtime.api import destination
from tests.runtime.api.sdk_provider import Sdk


class Globals:
    """The global meter provider, as tests set it."""

    def __init__(self) -> None:
        self.provider: MeterProvider | None = None


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Globals:
    """Return the global meter provider of a process, which is not set yet."""
    made = Globals()
    monkeypatch.setattr(destination, "get_meter_provider", lambda: made.provider)
    return made


@pytest.fixture
def sdk(process: Globals) -> Sdk:
    """Return the meter provider that another library has set."""
    made = Sdk()
    process.provider = made.provider
    return made
