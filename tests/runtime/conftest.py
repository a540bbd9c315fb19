"""Fixtures for tests of signal handlers and forks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def untraced() -> Iterator[None]:
    """Run without the trace function of a coverage measurement.

    The function takes a lock, which stays held if a signal handler raises in it, or in a child that
    is forked while another thread is in it.
    """
    in_this_thread, in_new_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    threading.settrace(in_new_threads)
    sys.settrace(in_this_thread)
