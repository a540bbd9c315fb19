"""How the server is reached: over standard input and output, or over HTTP on loopback."""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, Final

from otel_meta.cli.console import streams
from otel_meta.cli.console.error_lines import print_error
from otel_meta.errors import UsageError
from otel_meta.extras import ExtraImports
from otel_meta.testing.loopback import LOOPBACK

with ExtraImports("mcp", "The MCP server"):
    import anyio
    import uvicorn
    from mcp.server.mcpserver import MCPServer
    from mcp.server.transport_security import TransportSecuritySettings

_PATH: Final = "/mcp"


def serve_stdio(server: MCPServer[Any]) -> None:
    """Serve until the client closes its end, or until Ctrl-C.

    Raises:
        UsageError: standard input or output is closed from the start.
    """
    if sys.stdin is None or sys.stdout is None:
        raise UsageError("mcp speaks over standard input and output; open both, or give --port")
    if sys.stdin.isatty():
        print_error("a client of the Model Context Protocol is expected here; Ctrl-C ends")
    works = [partial(_speak, server)]
    if hasattr(select, "poll"):  # not on Windows
        # The SDK gives the descriptor of standard output another meaning while it serves.
        works.append(partial(_wait_for_hangup, os.dup(sys.stdout.fileno())))
    with suppress(KeyboardInterrupt, BrokenPipeError):
        _run_until_first_ends(*works)


def serve_http(server: MCPServer[Any], port: int) -> None:
    """Serve streamable HTTP on loopback until Ctrl-C.

    A request has to name the server by its address: a page of another site, whose name leads to
    loopback, is refused, and so is every request of a page in a browser.

    Raises:
        UsageError: the port is in use.
    """
    try:
        listening = socket.create_server((LOOPBACK, port))
    except OSError as error:
        problem = f"cannot serve on {LOOPBACK}:{port}: {error.strerror}"
        raise UsageError(f"{problem}; choose another --port") from error
    port = listening.getsockname()[1]
    names = TransportSecuritySettings(
        allowed_hosts=[f"{LOOPBACK}:{port}", f"localhost:{port}"], allowed_origins=[]
    )
    app = server.streamable_http_app(
        streamable_http_path=_PATH, stateless_http=True, transport_security=names, host=LOOPBACK
    )
    web_server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    with suppress(KeyboardInterrupt):
        streams.write(f"http://{LOOPBACK}:{port}{_PATH} serves the tools; Ctrl-C ends")
        _run_until_first_ends(partial(web_server.run, [listening]))


def _speak(server: MCPServer[Any]) -> None:
    """Serve on standard input and output.

    Raises:
        BrokenPipeError: the client has gone.
    """
    try:
        anyio.run(server.run_stdio_async)
    except* BrokenPipeError as gone:
        raise BrokenPipeError from gone


def _wait_for_hangup(output: int) -> None:
    """Wait until the reader of a pipe has gone; a write would tell, but the client asks no more."""
    poll = select.poll()
    poll.register(output, 0)
    poll.poll()


def _run_until_first_ends(*works: Callable[[], None]) -> None:
    """Run functions in threads until the first of them ends, and raise its error.

    Ctrl-C cannot interrupt a read of standard input; the threads are daemons, which the end of the
    process does not wait for.
    """
    futures = [_started(work) for work in works]
    for ended in wait(futures, return_when=FIRST_COMPLETED).done:
        ended.result()


def _started(work: Callable[[], None]) -> Future[None]:
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again where the future is read
            future.set_exception(error)
        else:
            future.set_result(None)

    Thread(target=run, daemon=True).start()
    return future
