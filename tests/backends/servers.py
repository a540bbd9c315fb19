"""Prometheus and Alertmanager with the committed rules in a hurry, and somebody to be told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, Self
from urllib.error import HTTPError
from urllib.parse import urlencode

from otel_meta.cli.demo.stack_config import alertmanager_config, rules
from otel_meta.testing.servers import ALERTMANAGER, PROMETHEUS, Backend
from tests.rules.prometheus_server import PATIENCE, fetch

Labels = Mapping[str, str]
RESEND = "--rules.alert.resend-delay=1s"
"""As much faster as the rules are: a minute in earnest."""


class Sample(NamedTuple):
    """One series of an answer, and its latest value."""

    labels: Labels
    value: float


class Prometheus(Backend):
    """A Prometheus, and what it knows."""

    def __init__(self, folder: Path, config: str, more: Sequence[str] = (), port: int = 0) -> None:
        super().__init__(
            program=PROMETHEUS, folder=folder, config=config, port=port, more=(RESEND, *more)
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """What its API answers.

        Raises:
            AssertionError: an error, with its text.
        """
        query = urlencode(parameters, doseq=True)
        try:
            answer = json.loads(fetch(f"{self.url}/api/v1/{path}?{query}"))
        except HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        return answer["data"]

    def ask(self, expr: str, at: float | None = None) -> list[Sample]:
        """The answer to a query, now or at another time."""
        when = {} if at is None else {"time": at}
        result = self.get("query", query=expr, **when)["result"]
        return [Sample(one["metric"], float(one["value"][1])) for one in result]

    def value(self, expr: str, at: float | None = None) -> float:
        """The same, added up."""
        return sum(sample.value for sample in self.ask(expr, at))

    def own(self, name: str) -> float:
        """What it says about itself under a name, added up."""
        lines = fetch(f"{self.url}/metrics").decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def firing(self, alert: str) -> bool:
        """Whether an alert fires."""
        return bool(self.ask(f'ALERTS{{alertname="{alert}",alertstate="firing"}}'))


def rule_folder(folder: Path, names: Iterable[str] = ("",)) -> str:
    """A folder with the rules in a hurry, of those files whose name begins with one of these."""
    folder.mkdir(parents=True)
    for name, text in rules():
        if name.startswith(tuple(names)):
            (folder / name).write_text(text)
    return str(folder)


def alertmanager(folder: Path, webhooks: str) -> Backend:
    """An Alertmanager that tells one receiver."""
    return Backend(
        program=ALERTMANAGER, folder=folder, config=alertmanager_config(webhooks), port=0
    )


class Told:
    """Somebody who listens: what was told, by path."""

    def __init__(self) -> None:
        told: list[tuple[str, dict[str, Any]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                told.append((self.path, json.loads(self.rfile.read(length))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.told = told
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def alerts(self, path: str, status: str) -> list[dict[str, Any]]:
        """Each alert that was told on a path, in every notification anew."""
        notes = [body for at, body in list(self.told) if at == path]
        return [alert for body in notes for alert in body["alerts"] if alert["status"] == status]

    def names(self, path: str, status: str) -> list[list[str]]:
        """Each notification on a path with this status: the alerts in it."""
        return [
            sorted(alert["labels"]["alertname"] for alert in body["alerts"])
            for at, body in list(self.told)
            if at == path and body["status"] == status
        ]

    def wait(self, path: str, status: str) -> None:
        """Return once something came."""
        deadline = time.monotonic() + PATIENCE
        while not self.names(path, status):
            assert time.monotonic() < deadline, f"nothing {status} on {path}: {self.told}"
            time.sleep(0.05)
