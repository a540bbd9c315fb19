"""Run jobs with a common deadline: flush and shutdown of the SDK take no timeout."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Thread

from otel_meta.runtime.recording.faults import Faults


def run_with_deadline(
    timeout: float, jobs: Mapping[str, Callable[[], object]], faults: Faults
) -> bool:
    """Run jobs in parallel and wait until all have finished, or until the timeout.

    A late job continues on a daemon thread. An error of a job is counted.

    Args:
        timeout: seconds to wait for all jobs together.
        jobs: jobs by name, which is also the name of thread and fault.
        faults: counts the errors.

    Returns:
        True if every job finished in time.
    """
    deadline = time.monotonic() + timeout
    threads = [
        Thread(target=_run_job, args=(name, job, faults), name=f"otel_meta {name}", daemon=True)
        for name, job in jobs.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    return not any(thread.is_alive() for thread in threads)


def _run_job(name: str, job: Callable[[], object], faults: Faults) -> None:
    try:
        job()
    except Exception as error:
        faults.report(name, type(error).__name__, error)
