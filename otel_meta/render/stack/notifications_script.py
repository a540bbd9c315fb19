"""The script of the container that prints notifications, for the compose file.

The text is generated, because the compose file has to run in any folder; a module of the package
is not in the image of the container.
"""

from __future__ import annotations

from typing import Final

from otel_meta.render.header import generated_from

NAME: Final = "notifications.py"
_SOURCE: Final = "otel_meta/render/stack/notifications_script.py"
_TEXT: Final = '''\
"""A webhook receiver in place of a team's pager: prints Alertmanager's notifications as JSON."""

from __future__ import annotations

import argparse
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MAX_BYTES = 10 * 1024 * 1024


def line(path: str, message: Any) -> str:
    """Return the line for a notification: receiver (from the path), status, and alerts."""
    notification = {
        "receiver": path.strip("/"),
        "status": message["status"],
        "alerts": [alert["labels"] | alert["annotations"] for alert in message["alerts"]],
    }
    return json.dumps(notification)


class Handler(BaseHTTPRequestHandler):
    """Accepts notifications; the response to any other message has status 400."""

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
        """Log nothing, because standard output is for notifications."""


def main() -> None:
    """Listen until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104  # as servers in containers do
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    ThreadingHTTPServer((arguments.host, arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
'''


def notifications_script() -> str:
    """Return the text of the script."""
    return f"# {generated_from(_SOURCE)}\n{_TEXT}"
