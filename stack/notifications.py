"""Receive the webhooks of Alertmanager, and print each notification as JSON."""

from __future__ import annotations

import argparse
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MAX_BYTES = 10 * 1024 * 1024


def line(path: str, message: Any) -> str:
    """Render a notification: receiver (the path), status and alerts."""
    notification = {
        "receiver": path.strip("/"),
        "status": message["status"],
        "alerts": [alert["labels"] | alert["annotations"] for alert in message["alerts"]],
    }
    return json.dumps(notification)


class Handler(BaseHTTPRequestHandler):
    """Responds to a notification with 200, and to other requests with 400."""

    def do_POST(self) -> None:
        """Print the notification."""
        try:
            length = min(int(self.headers.get("Content-Length", 0)), _MAX_BYTES)
            text = line(self.path, json.loads(self.rfile.read(length)))
        except (ValueError, KeyError, TypeError):
            self._respond(HTTPStatus.BAD_REQUEST)
        else:
            print(text, flush=True)
            self._respond(HTTPStatus.OK)

    def _respond(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
        """Log nothing."""


def main() -> None:
    """Listen until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104  # as servers in containers do
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args()
    ThreadingHTTPServer((given.host, given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
