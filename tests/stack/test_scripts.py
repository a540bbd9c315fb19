"""Runs the scripts of the compose file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
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
    """Run a script of stack/ until the end of the context."""
    command = [sys.executable, str(STACK / name), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


class TestNotifications:
    @pytest.fixture
    def receiver(self, closed_port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Run the webhook receiver; its process and URL."""
        with script("notifications.py", "--host=127.0.0.1", f"--port={closed_port}") as process:
            yield process, f"http://127.0.0.1:{closed_port}"

    def test_receiver_prints_notifications_and_refuses_other_messages(
        self, receiver: tuple[subprocess.Popen[str], str], eventually: Callable[..., None]
    ) -> None:
        """The receiver prints notifications, and refuses other messages."""
        process, url = receiver
        eventually(lambda: self.post(f"{url}/page", MESSAGE))

        assert process.stdout is not None
        assert {
            "receiver": "page",
            "status": "firing",
            "alerts": [{"alertname": "SloErrorBudgetBurnFast", "summary": "It burns."}],
        } == json.loads(process.stdout.readline())
        with pytest.raises(HTTPError, match="400"):
            self.post(f"{url}/page", {"alerts": []})

    def post(self, url: str, message: Any) -> bool:
        """Post a message as Alertmanager does; return False if the connection is refused."""
        try:
            OPEN(Request(url, json.dumps(message).encode()), timeout=10).close()
        except HTTPError as refusal:
            refusal.close()
            raise
        except OSError:
            return False
        return True


class TestCustomers:
    def test_customers_send_requests_and_stop_at_sigterm(
        self, eventually: Callable[..., None]
    ) -> None:
        """The customers send requests, and stop at SIGTERM."""
        paths: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                paths.append(self.path)
                self.send_error(503)

            do_GET = do_POST  # noqa: N815  # the base's name

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        with script(
            "customers.py", f"--storefront=http://127.0.0.1:{server.server_port}"
        ) as process:
            eventually(lambda: paths)
            process.send_signal(signal.SIGTERM)

            assert 0 == process.wait(30)
        server.shutdown()
        server.server_close()
