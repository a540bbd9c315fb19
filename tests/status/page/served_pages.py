"""Servers of the pages to look at and to check."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

from otel_meta.errors import BackendError
from otel_meta.status.page.page_context import PageContext
from otel_meta.status.page.status_server import StatusServer
from otel_meta.status.status_json import StatusJson
from tests.status.page.sample_pages import PAGES


class _Backend:
    """A backend that answers once, and then fails if the page has a problem."""

    def __init__(self, rows: Sequence[StatusJson], surroundings: PageContext) -> None:
        self._rows = rows
        self._context = surroundings
        self._calls = 0

    def fetch(self) -> Sequence[StatusJson]:
        """Return the statuses."""
        self._calls += 1
        if self._context.problem and self._calls > 1:
            raise BackendError(self._context.problem)
        return self._rows

    def clock(self) -> float:
        """Return the time of the first answer, and the time of the page after it."""
        return self._context.now if self._calls > 1 else self._context.measured_at


@contextmanager
def served_page(name: str) -> Generator[str]:
    """Yield the address of a page of `PAGES`."""
    rows, surroundings = PAGES[name]
    backend = _Backend(rows, surroundings)
    with StatusServer(backend.fetch, surroundings, max_age=0.0, clock=backend.clock) as server:
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(server.url).close()
        yield server.url
