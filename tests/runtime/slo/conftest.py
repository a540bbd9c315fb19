"""Fixtures of the tests of the tracker."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def disk_without_delay() -> Iterator[None]:
    """Write files without waiting for the disk, in tests of thousands of samples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _fd: None)
        yield
