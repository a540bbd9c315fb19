"""A client of the SDK whose calls wait for their answers, and a server as its process."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters, stdio_client, types

ROOT = Path(__file__).parents[3]


class ToolClient:
    """A client that is connected to a server."""

    def __init__(self, client: Client, portal: BlockingPortal) -> None:
        self.client = client
        self._portal = portal

    def tools(self) -> Mapping[str, types.Tool]:
        """Return the tools by name."""
        found = self._portal.call(self.client.list_tools)
        return {tool.name: tool for tool in found.tools}

    def answer(self, tool: str, **arguments: Any) -> Any:
        """Return the structured answer of a tool."""
        result = self._portal.call(self.client.call_tool, tool, arguments)
        assert not result.is_error, result.content
        return result.structured_content

    def error(self, tool: str, **arguments: Any) -> str:
        """Return the error of a tool."""
        result = self._portal.call(self.client.call_tool, tool, arguments)
        assert result.is_error
        assert result.structured_content is None
        (content,) = result.content
        assert isinstance(content, types.TextContent)
        return content.text

    def resources(self) -> Mapping[str, types.Resource]:
        """Return the resources by URI."""
        found = self._portal.call(self.client.list_resources)
        return {str(resource.uri): resource for resource in found.resources}

    def resource(self, uri: str) -> str:
        """Return the text of a resource."""
        (content,) = self._portal.call(self.client.read_resource, uri).contents
        assert isinstance(content, types.TextResourceContents)
        return content.text


@contextmanager
def tool_client(*arguments: str, cwd: Path | None = None) -> Iterator[ToolClient]:
    """Start ``otel-meta mcp`` as a process, and connect over its standard input and output."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "otel_meta", "mcp", *arguments],
        env={"PYTHONPATH": str(ROOT)},
        cwd=cwd,
    )
    with connected(Client(stdio_client(server))) as client:
        yield client


@contextmanager
def connected(client: Client) -> Iterator[ToolClient]:
    """Connect a client."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(client) as entered:
        yield ToolClient(entered, portal)
