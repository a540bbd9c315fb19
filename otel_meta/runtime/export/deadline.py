"""Doing several things within a bounded time, for an SDK that heeds no timeouts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Thread

from otel_meta.runtime.recording.faults import Faults


def within(timeout: float, jobs: Mapping[str, Callable[[], object]], faults: Faults) -> bool:
    """Run jobs side by side and wait for them, ``timeout`` seconds in all.

    What is not done by then is left to its daemon thread. An error in a job is counted.

    Returns:
        Whether every job was done in time.
    """
    deadline = time.monotonic() + timeout
    threads = [
        Thread(target=_guarded, args=(name, job, faults), name=f"otel_meta {name}", daemon=True)
        for name, job in jobs.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    return not any(thread.is_alive() for thread in threads)


def _guarded(name: str, job: Callable[[], object], faults: Faults) -> None:
    try:
        job()
    except Exception as error:
        faults.report(name, type(error).__name__, error)
