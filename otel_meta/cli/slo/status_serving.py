"""``otel-meta slo serve``: the page of the fleet's SLOs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from otel_meta.cli.console.error_lines import print_error
from otel_meta.cli.console.streams import write
from otel_meta.cli.project.asked_server import server_connection
from otel_meta.cli.project.project import Project
from otel_meta.errors import BackendError, UsageError
from otel_meta.status.page.page_context import PageContext
from otel_meta.status.page.status_server import StatusServer
from otel_meta.status.status_json import StatusJson

from .selection import Selection
from .status_sources import fleet_source


def serve_fleet(project: Project, selection: Selection, host: str, port: int) -> None:
    """Serve the page until Ctrl-C.

    A Prometheus that does not answer is a line at the start, and is shown on the page.

    Raises:
        UsageError: no server is named, or the port is in use.
    """
    url = server_connection(project).url
    source = fleet_source(project, selection)

    def fetch() -> Sequence[StatusJson]:
        return source().rows

    context = PageContext(
        title="SLOs of all services",
        measured_at=0,
        now=0,
        place={"server": url},
        corrections=project.corrections,
    )
    try:
        server = StatusServer(fetch, context, host=host, port=port)
    except OSError as error:
        problem = f"cannot serve on {host}:{port}: {error.strerror}"
        raise UsageError(f"{problem}; choose another --port or --host") from error
    try:
        write(f"{server.url} shows the SLOs of {url}; Ctrl-C ends")
        try:
            fetch()
        except BackendError as error:
            print_error(error)
        with suppress(KeyboardInterrupt):
            server.serve()
    finally:
        server.close()
