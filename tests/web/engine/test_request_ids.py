from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.web.engine.request_ids import RequestIds

SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:/+=-"
THREADS, COUNT = 8, 2_000
NEW = re.compile(r"[0-9a-f]{32}")


class TestChoose:
    @given(st.text(SAFE, min_size=1, max_size=128))
    def test_safe_id_is_kept(self, received: str) -> None:
        """An id of safe characters is kept."""
        assert received == RequestIds().choose(received.encode())

    @given(st.binary())
    def test_any_bytes_give_id_of_safe_characters(self, received: bytes) -> None:
        """Any bytes give an id of at most 128 safe characters."""
        chosen = RequestIds().choose(received)

        assert 1 <= len(chosen) <= 128
        assert set(chosen) <= set(SAFE)

    @pytest.mark.parametrize("unsafe", [None, b"", b"a\n", b"a" * 129, b"a b", "é".encode()])
    def test_unsafe_id_is_replaced(self, unsafe: bytes | None) -> None:
        """An unsafe id is replaced by a new one."""
        assert NEW.fullmatch(RequestIds().choose(unsafe))

    def test_new_ids_differ(self) -> None:
        """New ids differ, also those drawn by different system calls."""
        ids = RequestIds()

        assert 500 == len({ids.choose(None) for _ in range(500)})


class TestFork:
    def test_child_has_other_ids_than_its_parent(self) -> None:
        """A forked child has other ids than its parent."""
        ids = RequestIds()
        ids.choose(None)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, ids.choose(None).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            of_child = pipe.read()

        assert NEW.fullmatch(of_child)
        assert of_child not in islice(iter(lambda: ids.choose(None), None), 100)


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
