"""The scripts of the compose file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from otel_meta.testing.http_receiver import HttpReceiver
from otel_meta.testing.loopback import open_url

STACK = Path(__file__).resolve().parents[2] / "stack"
MESSAGE = {
    "status": "firing",
    "alerts": [
        {"labels": {"alertname": "SloErrorBudgetBurnFast"}, "annotations": {"summary": "It burns."}}
    ],
}


@contextmanager
def script(name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script of the stack; it is killed at the end of the context."""
    command: list[str | Path] = [sys.executable, STACK / name, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


class TestNotifications:
    @pytest.fixture
    def listening(self, closed_port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """The running script and its URL."""
        with script("notifications.py", "--host=127.0.0.1", f"--port={closed_port}") as process:
            yield process, f"http://127.0.0.1:{closed_port}"

    def test_notification_is_printed_and_other_json_is_status_400(
        self, listening: tuple[subprocess.Popen[str], str], eventually: Callable[..., None]
    ) -> None:
        """A notification is printed, and other JSON is status 400."""
        process, url = listening
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
        """Send a notification like Alertmanager; return False if the script does not listen yet."""
        try:
            open_url(Request(url, json.dumps(message).encode()), timeout=10).close()
        except HTTPError as refusal:
            refusal.close()
            raise
        except OSError:
            return False
        return True


class RefusingStorefront(HttpReceiver):
    """Keeps the paths of requests, and refuses them."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    def receive(self, path: str, body: bytes) -> int:
        """Keep a path."""
        self.paths.append(path)
        return 503


class TestCustomers:
    def test_customers_come_and_go(self, eventually: Callable[..., None]) -> None:
        """Customers send requests, and end at SIGTERM."""
        with (
            RefusingStorefront() as storefront,
            script("customers.py", f"--storefront={storefront.url}") as process,
        ):
            eventually(lambda: storefront.paths)
            process.send_signal(signal.SIGTERM)

            assert 0 == process.wait(20)
