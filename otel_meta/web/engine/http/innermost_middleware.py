"""The innermost middleware: sees the scope that routing fills, and the responses of handlers."""

from __future__ import annotations

from typing import Final

from otel_meta.web.asgi import App, Message, Receive, Scope, Send
from otel_meta.web.engine.marks import EXCHANGE

from .http_exchange import HttpExchange


class InnermostMiddleware:
    """Stands between the application's middleware, which may copy the scope, and its router."""

    def __init__(self, app: App) -> None:
        self.app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its scope and response to the exchange."""
        exchange = scope.get(EXCHANGE)
        if not isinstance(exchange, HttpExchange):
            await self.app(scope, receive, send)
            return
        exchange.scope = scope

        async def send_wrapper(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.trace_background()
            await send(message)

        await self.app(scope, receive, send_wrapper)
