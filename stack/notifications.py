"""Stands where a team's pager would: prints each of Alertmanager's notifications as JSON."""

from __future__ import annotations

import argparse
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LONGEST = 10 * 1024 * 1024


def line(path: str, message: Any) -> str:
    """What is printed: who is told (the path), whether it began or ended, and the alerts."""
    told = {
        "told": path.strip("/"),
        "status": message["status"],
        "alerts": [alert["labels"] | alert["annotations"] for alert in message["alerts"]],
    }
    return json.dumps(told)


class Handler(BaseHTTPRequestHandler):
    """Answers 400 to what is not a notification."""

    def do_POST(self) -> None:
        """Print."""
        try:
            length = min(int(self.headers.get("Content-Length", 0)), _LONGEST)
            text = line(self.path, json.loads(self.rfile.read(length)))
        except (ValueError, KeyError, TypeError):
            self._answer(HTTPStatus.BAD_REQUEST)
        else:
            print(text, flush=True)
            self._answer(HTTPStatus.OK)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
        """Say nothing else."""


def main() -> None:
    """Listen until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104  # as servers in containers do
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args()
    ThreadingHTTPServer((given.host, given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
