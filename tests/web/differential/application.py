"""An application with all that may stand between a server and a handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from tests.web.cases.app import build as build_cases


async def reflect(request: Request) -> dict[str, Any]:
    """Return what the handler sees of a request."""
    return {
        "method": request.method,
        "url": repr((request.url.path, request.url.query)),
        "params": repr(request.path_params),
        "headers": repr(request.headers.raw),
        "body": repr(await request.body()),
    }


async def parts(request: Request) -> Response:
    """Send the body back, part by part."""
    received = [part async for part in request.stream()]

    async def chunks() -> AsyncIterator[bytes]:
        for part in received:
            yield part

    return StreamingResponse(chunks())


async def unread() -> None:
    """Refuse a request without a look at its body."""
    raise HTTPException(413)


async def tasks(background: BackgroundTasks) -> Response:
    """Respond, and run a task that fails after one that does not."""
    background.add_task(asyncio.sleep, 0)
    background.add_task(unread)
    return PlainTextResponse("later", background=background)


async def raw(scope: Scope, _receive: Receive, send: Send) -> None:
    """Send headers of all kinds, some of which telemetry also sends."""
    headers = [
        (b"X-Request-ID", b"own"),
        (b"Server-Timing", b"db;dur=1"),
        (b"x-bytes", b"\xff\xfe"),
        (b"access-control-allow-origin", b"*"),
        (b"content-length", b"3"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": iter(headers)})
    body = b"" if scope["method"] == "HEAD" else b"raw"
    await send({"type": "http.response.body", "body": body})


class PassOn(BaseHTTPMiddleware):
    """A middleware that runs the application in a task of its own."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass the request on."""
        response = await call_next(request)
        response.headers["x-passed"] = "on"
        return response


def build() -> FastAPI:
    """Return a new application without telemetry."""
    app = build_cases()
    app.add_middleware(GZipMiddleware, minimum_size=40)
    app.add_middleware(PassOn)
    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]
    app.api_route("/reflect", methods=methods)(reflect)
    app.api_route("/reflect/{rest:path}", methods=methods)(reflect)
    app.post("/parts")(parts)
    app.post("/unread")(unread)
    app.get("/tasks")(tasks)
    app.mount("/raw", raw)
    app.mount("/files", StaticFiles(directory=Path(__file__).parent))
    _mount_tenants(app)
    return app


def _mount_tenants(app: FastAPI) -> None:
    """Mount an application below a path with a parameter."""
    tenants, router = FastAPI(), APIRouter(prefix="/orders")
    router.get("/{order}")(reflect)
    tenants.include_router(router)
    app.router.routes.append(Mount("/tenants/{tenant}", app=tenants))
