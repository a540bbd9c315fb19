"""Serve the application with one instrumentation by uvicorn, for clients in another process.

    python benchmarks/web/served.py CONTENDER ROUTES SOCKET

SOCKET is the descriptor of a listening socket. Each line on standard input is answered, after a
flush, by the seconds of process CPU so far.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from threading import Thread

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from web.application import application
from web.contenders import CONTENDERS, Flush


def main() -> None:
    """Serve until standard input is closed."""
    contender, routes, descriptor = sys.argv[1:]
    chosen = CONTENDERS[contender]
    app = application(int(routes), **chosen.options)
    flush = chosen.install(app)
    config = uvicorn.Config(
        app, fd=int(descriptor), loop="asyncio", ws="none", log_level="error",
        access_log=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    Thread(target=_answer, args=(server, flush), daemon=True).start()
    asyncio.run(server.serve())
    os._exit(0)  # so that only spans whose export was measured reach the receiver


def _answer(server: uvicorn.Server, flush: Flush) -> None:
    for _ in sys.stdin:
        flush()
        print(time.process_time(), flush=True)
    server.should_exit = True


if __name__ == "__main__":
    main()
