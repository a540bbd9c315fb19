"""The scripts that the compose file runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

STACK = Path(__file__).resolve().parents[2] / "stack"
OPEN = build_opener(ProxyHandler({})).open
MESSAGE = {
    "status": "firing",
    "alerts": [
        {"labels": {"alertname": "SloErrorBudgetBurnFast"}, "annotations": {"summary": "It burns."}}
    ],
}


@contextmanager
def script(name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A script of the stack's, ended with the context."""
    command = [sys.executable, STACK / name, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


class TestNotifications:
    @pytest.fixture
    def listening(self, closed_port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """The script, and where it listens."""
        with script("notifications.py", "--host=127.0.0.1", f"--port={closed_port}") as process:
            yield process, f"http://127.0.0.1:{closed_port}"

    def test_prints(
        self, listening: tuple[subprocess.Popen[str], str], eventually: Callable[..., None]
    ) -> None:
        """It prints who is told of what, and refuses what is no notification."""
        process, url = listening
        eventually(lambda: self.post(f"{url}/page", MESSAGE))

        assert process.stdout is not None
        assert {
            "told": "page",
            "status": "firing",
            "alerts": [{"alertname": "SloErrorBudgetBurnFast", "summary": "It burns."}],
        } == json.loads(process.stdout.readline())
        with pytest.raises(HTTPError, match="400"):
            self.post(f"{url}/page", {"alerts": []})

    def post(self, url: str, message: Any) -> bool:
        """As Alertmanager does; whether somebody listens yet."""
        try:
            OPEN(Request(url, json.dumps(message).encode()), timeout=10).close()
        except HTTPError as refusal:
            refusal.close()
            raise
        except OSError:
            return False
        return True


class TestCustomers:
    def test_come_and_go(self) -> None:
        """They ask for something, and leave when told to."""
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked.append(self.path)
                self.send_error(503)

            do_GET = do_POST  # noqa: N815  # the base's name

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        with script(
            "customers.py", f"--storefront=http://127.0.0.1:{server.server_port}"
        ) as process:
            deadline = time.monotonic() + 30
            while not asked and time.monotonic() < deadline:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)

            assert 0 == process.wait(30)
        server.shutdown()
        server.server_close()
        assert asked
