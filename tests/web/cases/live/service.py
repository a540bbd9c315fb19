"""The application of the cases without and with telemetry, on one port."""

from __future__ import annotations

import otel_meta
from otel_meta.web.asgi import App, Receive, Scope, Send
from tests.web.cases.app import build


class Switch:
    """Passes requests to the application that the latest request of a switch has chosen.

    So the same bytes reach both applications through the same server.
    """

    def __init__(self, bare: App, instrumented: App) -> None:
        self._chosen = self._instrumented = instrumented
        self._switches = {"/-/bare": bare, "/-/instrumented": instrumented}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose, or call the chosen application."""
        path = scope.get("path")
        if path in self._switches:
            self._chosen = self._switches[path]
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            app = self._instrumented if scope["type"] == "lifespan" else self._chosen
            await app(scope, receive, send)


_NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False}

_instrumented = build()
otel_meta.instrument_fastapi(_instrumented)
app = Switch(build(telemetry=_NO_TELEMETRY), _instrumented)
