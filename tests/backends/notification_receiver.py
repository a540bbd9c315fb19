"""A webhook receiver that keeps Alertmanager's notifications."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple, Self

from tests.waiting import wait_until


class Notification(NamedTuple):
    """A notification, and the path of its webhook."""

    path: str
    body: dict[str, Any]


class NotificationReceiver:
    """Receives webhooks on a free port while its context is open."""

    def __init__(self) -> None:
        notifications: list[Notification] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                notifications.append(Notification(self.path, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.notifications = notifications
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """Return the bodies of all notifications to a path."""
        return [body for to, body in list(self.notifications) if to == path]

    def alerts(self, path: str, status: str) -> list[dict[str, Any]]:
        """Return the alerts with a status from all notifications to a path, with repetitions."""
        alerts = [alert for body in self.bodies(path) for alert in body["alerts"]]
        return [alert for alert in alerts if alert["status"] == status]

    def alert_names(self, path: str, status: str) -> list[list[str]]:
        """Return the alert names of each notification to a path with this status."""
        return [
            sorted(alert["labels"]["alertname"] for alert in body["alerts"])
            for body in self.bodies(path)
            if body["status"] == status
        ]

    def wait_for(self, path: str, status: str) -> None:
        """Return as soon as a notification with this status has come to a path."""
        wait_until(lambda: self.alert_names(path, status), f"nothing {status} on {path}")
