"""Measure one instrumentation in this process, by calls of the application without a server.

    python benchmarks/web/in_process.py CONTENDER ROUTES REQUESTS BLOCKS

Prints the seconds of process CPU of each block as a list in JSON. A block ends with a flush, so the
time of the exporter's threads counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from web.application import application, paths, request_all
from web.contenders import CONTENDERS


async def measure(contender: str, routes: int, requests: int, blocks: int) -> list[float]:
    """Return the seconds of each block, after one that is not measured."""
    chosen = CONTENDERS[contender]
    app = application(routes, **chosen.options)
    flush = chosen.install(app)
    seconds: list[float] = []
    for _ in range(1 + blocks):
        began = time.process_time()
        await request_all(app, paths(routes, requests))
        flush()
        seconds.append(time.process_time() - began)
    return seconds[1:]


def main() -> None:
    """Measure what the arguments say."""
    contender, *numbers = sys.argv[1:]
    routes, requests, blocks = map(int, numbers)
    print(json.dumps(asyncio.run(measure(contender, routes, requests, blocks))), flush=True)
    os._exit(0)  # so that only spans whose export was measured reach the receiver


if __name__ == "__main__":
    main()
