"""Compare for minutes: ``python -m tests.web.differential --minutes 10``."""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import time
from random import Random

from .comparison import Pair, pair
from .connections import random_sending

_KIND = [("meta", "h11"), ("meta", "httptools"), ("contrib", "httptools"), ("native", "h11")]


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def compare(pair: Pair, seed: Random, seconds: float) -> int:
    """Send to both applications until the time is over; return the number of differences."""
    end = time.monotonic() + seconds
    connections = differences = 0
    while time.monotonic() < end:
        difference = pair.difference(random_sending(seed))
        connections += 1
        if difference:
            differences += 1
            say(difference[:4_000])
    pair.check()
    spans, peak = len(pair.recorded.spans()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say(
        f"{connections} connections, {spans} requests, {differences} differences, "
        f"{pair.series()} series, {peak // 1024} MB with all spans"
    )
    return differences


def main() -> int:
    """Compare under each server and engine; return 1 if there was a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.disable()
    differences = 0
    for engine, http in _KIND:
        say(f"engine {engine}, {http}:")
        with pair(engine, http) as each:
            seconds = arguments.minutes * 60 / len(_KIND)
            differences += compare(each, Random(arguments.seed), seconds)
    return int(differences > 0)


if __name__ == "__main__":
    sys.exit(main())
