"""``otel-meta slo`` and ``otel-meta budget`` on a real Prometheus with recordings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest

from otel_meta.testing.loopback import free_port, open_url
from otel_meta.testing.pinned_tools import find_tool
from tests.cli.conftest import RunCommand
from tests.cli.slo import recorded_slo as recorded
from tests.waiting import poll


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the Prometheus."""
    with recorded.recorded_slo(tmp_path_factory.mktemp("prometheus")) as url:
        yield url
