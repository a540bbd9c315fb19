"""Fixtures for tests in which signal handlers raise exceptions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def untraced() -> Iterator[None]:
    """Run without the trace function of a coverage measurement, in which a limit can be raised.

    The function takes a lock, which would stay held for ever.
    """
    in_this_thread, in_new_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    threading.settrace(in_new_threads)
    sys.settrace(in_this_thread)
