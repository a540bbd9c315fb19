"""How the server is reached: over standard input and output, or over HTTP on loopback."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
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
    """Serve until standard input or output is closed, or until Ctrl-C.

    Raises:
        UsageError: standard input or output is closed from the start.
    """
    if sys.stdin is None or sys.stdout is None:
        raise UsageError("mcp speaks over standard input and output; open both, or give --port")
    if sys.stdin.isatty():
        print_error("a client of the Model Context Protocol is expected here; Ctrl-C ends")
    _run_until_interrupted(lambda: _without_broken_pipe(server))


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
    config = uvicorn.Config(app, log_level="error", access_log=False)
    streams.write(f"http://{LOOPBACK}:{port}{_PATH} serves the tools; Ctrl-C ends")
    _run_until_interrupted(lambda: uvicorn.Server(config).run([listening]))


def _without_broken_pipe(server: MCPServer[Any]) -> None:
    """Serve; a client that has gone is the end."""
    with suppress(BrokenPipeError):
        try:
            anyio.run(server.run_stdio_async)
        except* BrokenPipeError as gone:
            raise BrokenPipeError from gone


def _run_until_interrupted(run: Callable[[], None]) -> None:
    """Run a server in a thread until its end, or until Ctrl-C, which is its usual end.

    A read of standard input cannot be interrupted; the thread that waits for it is a daemon.
    """
    ended: Future[None] = Future()

    def work() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            ended.set_exception(error)
        else:
            ended.set_result(None)

    Thread(target=work, daemon=True).start()
    with suppress(KeyboardInterrupt):
        ended.result()
