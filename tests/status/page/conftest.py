"""Fixtures: a browser, and servers of pages."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from otel_meta.status.page.page_context import PageContext
from otel_meta.status.page.status_server import StatusServer
from otel_meta.status.status_json import StatusJson
from tests.status.page.chromium import Chromium, Tab, find_chromium
from tests.status.page.served_pages import served_page

sys.path.append(str(Path(__file__).resolve().parents[3] / "tools" / "dashboard_images"))

from packages import ACCESSIBILITY, installed  # a tool, outside the packages

Show = Callable[[str], str]
"""Serves a page of `sample_pages.PAGES`, and returns its address."""
ServePage = Callable[[Callable[[], Sequence[StatusJson]], PageContext], StatusServer]
"""Serves the statuses of a function, which is asked for each request."""


@pytest.fixture(scope="session")
def browser() -> Generator[Chromium]:
    """Chromium; without Chromium the test is skipped, and fails in CI."""
    program = find_chromium()
    if program is None:
        assert not os.environ.get("CI"), "install Chromium"
        pytest.skip("Chromium is not installed")
    with Chromium(program) as browser:
        yield browser


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    return (installed(ACCESSIBILITY) / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def tab(browser: Chromium) -> Generator[Tab]:
    """A new tab of the browser."""
    tab = browser.open_tab()
    tab.look()
    yield tab
    tab.close()


@pytest.fixture
def serve_page() -> Generator[ServePage]:
    """Function that serves statuses until the end of the test."""
    with ExitStack() as servers:

        def serve(fetch: Callable[[], Sequence[StatusJson]], context: PageContext) -> StatusServer:
            return servers.enter_context(StatusServer(fetch, context, max_age=0.0))

        yield serve


@pytest.fixture
def show() -> Generator[Show]:
    """Function that serves a page by name until the end of the test."""
    with ExitStack() as servers:
        yield lambda name: servers.enter_context(served_page(name))
