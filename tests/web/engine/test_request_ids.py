"""Ids of requests from several threads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from otel_meta.web.engine.request_ids import RequestIds

THREADS, COUNT = 8, 2_000


@pytest.fixture
def _often_switching() -> Iterator[None]:
    """Let threads take turns as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class TestThreads:
    @pytest.mark.usefixtures("_often_switching")
    def test_event_loops_on_threads_get_each_id_once(self) -> None:
        """Event loops on several threads, which share an application, get each id once."""
        ids = RequestIds()

        def choose(_thread: int) -> list[str]:
            return [ids.choose(None) for _ in range(COUNT)]

        with ThreadPoolExecutor(THREADS) as pool:
            chosen = [each for part in pool.map(choose, range(THREADS)) for each in part]

        assert THREADS * COUNT == len(set(chosen))
