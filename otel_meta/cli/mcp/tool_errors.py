"""Errors of tools: one line for the assistant, without a stack trace and without credentials."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from otel_meta.cli.project.asked_server import has_server, server_connection
from otel_meta.cli.project.project import Project
from otel_meta.errors import OtelMetaError
from otel_meta.extras import ExtraImports

with ExtraImports("mcp", "The MCP server"):
    from mcp.server.mcpserver.exceptions import ToolError

P = ParamSpec("P")
T = TypeVar("T")

_HIDDEN: Final = "[hidden]"
_SHORTEST: Final = 4
"""Characters of a credential; a shorter one is part of usual words."""
_LONGEST: Final = 600
"""Characters of an error, which may have names of series."""


def with_one_line_errors(project: Project) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator of tools.

    A server may repeat in its error what the request has, so that credentials are taken out.
    """
    secrets = _secrets(project)

    def decorate(tool: Callable[P, T]) -> Callable[P, T]:
        @wraps(tool)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return tool(*args, **kwargs)
            except OtelMetaError as error:
                raise ToolError(_line(error, secrets)) from error

        return call

    return decorate


def _line(error: OtelMetaError, secrets: list[str]) -> str:
    line = " ".join(str(error).split())
    for secret in secrets:
        line = line.replace(secret, _HIDDEN)
        for end in range(len(secret) - 1, _SHORTEST - 1, -1):  # what the client has cut
            line = line.replace(f"{secret[:end]}…", f"{_HIDDEN}…")
    return "".join(filter(str.isprintable, line))[:_LONGEST]


def _secrets(project: Project) -> list[str]:
    """Return the credentials of the server in each form that is sent, the longest first."""
    found = [*_credentials(project)] if has_server(project) else []
    return sorted((each for each in found if len(each) >= _SHORTEST), key=len, reverse=True)


def _credentials(project: Project) -> Iterator[str]:
    connection = server_connection(project)
    if connection.token is not None:
        yield connection.token
    if connection.user is not None:
        yield connection.user[1]
        yield base64.b64encode(":".join(connection.user).encode()).decode()
    yield from connection.headers.values()
