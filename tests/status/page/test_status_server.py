"""The server of the page, over real sockets."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread

import httpx
import pytest

from otel_meta.errors import BackendError
from otel_meta.status.page.status_server import CachedStatuses, StatusServer
from otel_meta.status.status_json import StatusJson
from tests.status.page.sample_pages import OK, context
from tests.waiting import wait_until

HTML = {"accept": "text/html"}


class Backend:
    """A source of statuses that can fail."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.calls = 0
        self.now = 1000.0

    def fetch(self) -> Sequence[StatusJson]:
        """Return one status."""
        self.calls += 1
        if self.problem is not None:
            raise self.problem
        return [OK]

    def clock(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def backend() -> Backend:
    """A source of statuses that answers."""
    return Backend()


def server(backend: Backend) -> StatusServer:
    """Return a server of the source."""
    return StatusServer(backend.fetch, context(), max_age=10.0, clock=backend.clock)


class TestPages:
    @pytest.mark.parametrize("path", ["", "slo"])
    def test_browser_gets_html_and_program_gets_json(self, backend: Backend, path: str) -> None:
        """A browser gets the page, and a program the statuses."""
        with server(backend) as served:
            page = httpx.get(served.url + path, headers=HTML)
            statuses = httpx.get(served.url + path)

        assert "text/html; charset=utf-8" == page.headers["content-type"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert OK["name"] in page.text
        assert "no-store" == page.headers["cache-control"]
        assert [OK["name"]] == [slo["name"] for slo in statuses.json()["slos"]]

    def test_head_has_headers_and_no_body(self, backend: Backend) -> None:
        """HEAD has the headers of GET, and no body."""
        with server(backend) as served:
            got, head = httpx.get(served.url, headers=HTML), httpx.head(served.url, headers=HTML)

        assert ("", got.headers["content-length"]) == (head.text, head.headers["content-length"])

    def test_server_is_healthy_without_backend(self, backend: Backend) -> None:
        """/healthz tells of the server alone, and asks no backend."""
        with server(backend) as served:
            health = httpx.get(f"{served.url}healthz")

        assert (200, 0) == (health.status_code, backend.calls)

    def test_other_path_is_not_found(self, backend: Backend) -> None:
        """Another path is not found, and the answer has the paths."""
        with server(backend) as served:
            other = httpx.get(f"{served.url}metrics")

        assert (404, "served: /, /slo, /healthz\n") == (other.status_code, other.text)

    def test_server_listens_on_loopback(self, backend: Backend) -> None:
        """The server listens on loopback alone."""
        with server(backend) as served:
            assert "127.0.0.1" == served.host


class TestCache:
    def test_backend_is_asked_once_in_some_seconds(self, backend: Backend) -> None:
        """The backend is asked once in some seconds, however many requests there are."""
        with server(backend) as served:
            for _ in range(3):
                httpx.get(served.url)
            asked = backend.calls
            backend.now += 10
            httpx.get(served.url)

        assert (1, 2) == (asked, backend.calls)

    def test_failing_backend_leaves_last_answer_with_age_and_problem(
        self, backend: Backend
    ) -> None:
        """While the backend fails, the page has the last answer, its age and the problem."""
        with server(backend) as served:
            httpx.get(served.url)
            backend.problem, backend.now = BackendError("http://p:9090: no\nanswer"), 1200.0
            page, statuses = httpx.get(served.url, headers=HTML), httpx.get(served.url).json()

        assert 200 == page.status_code
        assert "http://p:9090: no answer The state is 3.3 min old." in page.text
        assert "Last known state:" in page.text
        assert OK["name"] in page.text
        assert (200.0, "http://p:9090: no answer") == (
            statuses["age_seconds"],
            statuses["problem"],
        )

    def test_without_any_answer_server_is_unavailable(self, backend: Backend) -> None:
        """Without any answer the status is 503, and the page has the problem and no SLO."""
        backend.problem = ValueError("no JSON")
        with server(backend) as served:
            page, statuses = httpx.get(served.url, headers=HTML), httpx.get(served.url)

        assert (503, 503) == (page.status_code, statuses.status_code)
        assert "ValueError: no JSON" in page.text
        assert ([], None) == (statuses.json()["slos"], statuses.json()["age_seconds"])

    def test_answer_of_recovered_backend_has_no_problem(self, backend: Backend) -> None:
        """The first answer of a backend after a failure has no problem."""
        backend.problem = BackendError("down")
        with server(backend) as served:
            httpx.get(served.url)
            backend.problem, backend.now = None, 1010.0
            statuses = httpx.get(served.url).json()

        assert ([OK["name"]], None) == ([s["name"] for s in statuses["slos"]], statuses["problem"])

    def test_slow_backend_delays_one_request(self) -> None:
        """While one request waits for a slow backend, others get the last answer."""
        asked, go_on = Event(), Event()
        go_on.set()

        def fetch() -> Sequence[StatusJson]:
            asked.set()
            assert go_on.wait(60)
            return [OK]

        statuses = CachedStatuses(fetch, 0.0, lambda: 0.0)
        statuses.latest()
        asked.clear()
        go_on.clear()
        slow = Thread(target=statuses.latest)
        slow.start()
        wait_until(asked.is_set)

        assert [OK] == statuses.latest().rows
        go_on.set()
        slow.join(60)
