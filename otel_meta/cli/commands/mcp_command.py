"""``otel-meta mcp``: a server of the Model Context Protocol with read-only tools."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import with_server_project


@with_server_project
def mcp(
    project: Project,
    *,
    port: Annotated[
        int | None,
        Option(
            metavar="PORT",
            min=0,
            max=65_535,
            help="Serve HTTP at this port of loopback (standard input and output).",
        ),
    ] = None,
) -> Result:
    """Serve SLOs, burns and metrics to an assistant, over the Model Context Protocol.

    The tools only read. Without --prometheus, they know the declarations alone.
    """
    # Local imports: the SDK is for this command, and needs an extra.
    from otel_meta.cli.mcp.mcp_server import mcp_server  # noqa: PLC0415
    from otel_meta.cli.mcp.transports import serve_http, serve_stdio  # noqa: PLC0415

    server = mcp_server(project)
    if port is None:
        serve_stdio(server)
    else:
        serve_http(server, port)
    return Result(ExitCode.OK)
