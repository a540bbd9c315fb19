from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest

from otel_meta.testing.http_receiver import HttpReceiver


class Recorder(HttpReceiver):
    """Keeps requests, and accepts them."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.requests: list[tuple[str, bytes]] = []

    def receive(self, path: str, body: bytes) -> int:
        """Keep a request."""
        self.requests.append((path, body))
        return 202


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A receiver that listens."""
    with Recorder() as listening:
        yield listening


class TestHttpReceiver:
    def test_path_and_body_of_post_request_are_handled_and_status(self, recorder: Recorder) -> None:
        """The path and the body of a POST request are handled, and the status is returned."""
        response = httpx.post(f"{recorder.url}/a?b=c", content=b"body")

        assert (202, b"") == (response.status_code, response.content)
        assert [("/a?b=c", b"body")] == recorder.requests

    def test_body_with_content_encoding_gzip_is_decompressed(self, recorder: Recorder) -> None:
        """A body with content-encoding gzip is decompressed."""
        headers = {"content-encoding": "gzip"}
        httpx.post(recorder.url, content=gzip.compress(b"body"), headers=headers)

        assert [b"body"] == [body for _, body in recorder.requests]

    def test_port_can_be_chosen(self, closed_port: int) -> None:
        """The receiver listens on the port of its argument."""
        with Recorder(closed_port) as recorder:
            assert f"http://127.0.0.1:{closed_port}" == recorder.url
            assert 202 == httpx.post(recorder.url, content=b"").status_code

    def test_closed_receiver_does_not_listen(self) -> None:
        """After its context a receiver refuses connections, and keeps its requests."""
        with Recorder() as recorder:
            httpx.post(recorder.url, content=b"body")

        with pytest.raises(httpx.ConnectError):
            httpx.post(recorder.url, content=b"")
        assert 1 == len(recorder.requests)
