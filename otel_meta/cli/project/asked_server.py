"""The server that a command asks: the keys ``server.*``, variables and options, in one place.

An option wins over the variable, and the variable over the project's table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from otel_meta.errors import UsageError
from otel_meta.fleet.connection import Connection

from .project import Project

NO_SERVER: Final = (
    "no server is named; give --prometheus URL, set OTEL_META_SERVER_URL, or write server.url in "
    "the table [tool.otel_meta] of pyproject.toml"
)


def has_server(project: Project) -> bool:
    """Return True if an option, the variable or the table names a server."""
    return bool(project.value("server.url"))


def server_connection(project: Project, seconds: float = Connection.timeout) -> Connection:
    """Return how the server is reached.

    Args:
        project: the choices of a command.
        seconds: the time-out if none is chosen.

    Raises:
        UsageError: no server is named, or the values contradict each other.
    """
    url = project.value("server.url")
    if not url:
        raise UsageError(NO_SERVER)
    name = project.value("server.user")
    return Connection(
        url,
        token=secret(project, "server.token"),
        user=(name, secret(project, "server.password") or "") if name else None,
        headers=project.value("server.headers", {}),
        tenant=project.value("server.tenant"),
        ca_file=ca_file(project),
        timeout=timeout(project, seconds),
    )


def secret(project: Project, key: str) -> str | None:
    """Return the text of a secret."""
    value = project.value(key)
    return None if value is None else str(value.text)


def ca_file(project: Project) -> Path | None:
    """Return the file of trusted certificates; a path in the table starts at the table's file."""
    if "server.ca_file" in project.given:
        return Path(project.given["server.ca_file"])
    in_file = project.value("server.ca_file")
    return project.file.folder / in_file if in_file else None


def timeout(project: Project, seconds: float = Connection.timeout) -> float:
    """Return the seconds until a request is given up, by default so many."""
    chosen: float = project.value("server.timeout", seconds)
    return chosen
