"""Whom Alertmanager tells in the demo: it takes notifications and says them in a line each."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final, Self

_NOT_SAID: Final = "/watchdog"
"""Comes all the time; only its silence means something."""


class Pager:
    """A webhook receiver on a free port of loopback, for as long as the context is open."""

    def __init__(self) -> None:
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path != _NOT_SAID:
                    pager.hear(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
                """Say nothing."""

        self._server: Final = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread: Final = Thread(target=self._server.serve_forever, daemon=True)
        self._heard: list[str] = []
        self._stands: dict[str, str] = {}
        self._lock: Final = Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def hear(self, notification: dict[str, Any]) -> None:
        """Take a notification, which repeats what still stands of earlier ones."""
        with self._lock:
            for alert in notification["alerts"]:
                about = _about(alert["labels"])
                if self._stands.get(about) != alert["status"]:
                    self._stands[about] = alert["status"]
                    self._heard.append(f"{about} {alert['status']}")

    def news(self) -> list[str]:
        """What has begun and ended since last asked."""
        with self._lock:
            heard, self._heard = self._heard, []
        return heard

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _about(labels: dict[str, str]) -> str:
    named = (labels.get(name) for name in ("severity", "alertname", "slo", "service_name"))
    return " ".join(name for name in named if name)
