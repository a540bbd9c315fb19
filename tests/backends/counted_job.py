"""A job that counts in several processes: `python counted_job.py WAY COUNTS`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

from otel_meta import configure
from otel_meta.repos import Chronos

COUNTS: Final = int(sys.argv[2])
"""What each way counts, in all its processes together; an even number."""

telemetry = configure("counted-jobs", Chronos)
chronos = telemetry.bind(Chronos)


def count(way: str) -> None:
    """Count in the series of all ways, and in that of one way."""
    for pipeline in ("all", way):
        chronos.records_processed.add(1, pipeline=pipeline, stage="load")


def alone() -> None:
    """Count in this process."""
    for _ in range(COUNTS):
        count("alone")


def processes() -> None:
    """Count in children of multiprocessing, by each method to start them."""
    for method in ("fork", "spawn"):
        context: Any = multiprocessing.get_context(method)
        children = [context.Process(target=count, args=("processes",)) for _ in range(COUNTS // 2)]
        for child in children:
            child.start()
        for child in children:
            child.join()


def pool() -> None:
    """Count in children of a pool."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        list(executor.map(count, ["pool"] * COUNTS))


def prefork() -> None:
    """Count in forked children that skip every exit handler, as Celery's, rq's and Airflow's do."""
    for number in range(COUNTS):
        child = os.fork()
        if not child:
            count("prefork")
            os.kill(os.getpid(), signal.SIGKILL) if number % 2 else os._exit(0)
        os.waitpid(child, 0)


def terminated() -> None:
    """Count, say so, and wait for the end by a signal."""
    for _ in range(COUNTS):
        count("terminated")
    sys.stdout.write("counted\n")
    sys.stdout.flush()
    signal.pause()


WAYS: Final[Mapping[str, Callable[[], None]]] = {
    way.__name__: way for way in (alone, processes, pool, prefork, terminated)
}

if __name__ == "__main__":
    with telemetry:
        WAYS[sys.argv[1]]()
