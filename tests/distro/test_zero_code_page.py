"""The application of docs/zero-code.md, started as the page says."""

from __future__ import annotations

import re

from tests.distro.conftest import StartServer
from tests.document_blocks import ROOT, blocks


def test_page_shows_series_that_are_exposed(start_server: StartServer) -> None:
    """The application of the page, started by the shown command, exposes the shown line."""
    (app,) = (block for block in blocks("python") if block.mark == "file: app.py")
    page = (ROOT / "docs" / "zero-code.md").read_text()
    (shown,) = re.findall(r"<!-- zero code metrics -->\n```\n(.*)\n```", page)
    server = start_server("uvicorn", "service:app", "--port", "{port}", source=app.text)

    server.get("/hello/ann")

    assert shown in server.get("/metrics").text.splitlines()
