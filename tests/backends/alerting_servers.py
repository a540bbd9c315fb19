"""Prometheus and Alertmanager with the committed rules, sixty times as fast as in production."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode

from otel_meta.cli.demo.stack_config import alertmanager_config, rules
from otel_meta.testing.servers import ALERTMANAGER, PROMETHEUS, Backend
from tests.rules.prometheus_server import fetch

Labels = Mapping[str, str]


class Sample(NamedTuple):
    """Labels and value of one series in a query result."""

    labels: Labels
    value: float


class Prometheus(Backend):
    """A Prometheus server with its query API.

    Args:
        folder: the folder of configuration, data and log.
        config: the configuration as YAML.
        more: further arguments.
        resend_delay: the seconds between two notifications of Alertmanager about a firing alert.
            The default of Prometheus, a minute, is scaled like the rules. Alertmanager resolves an
            alert after four such delays without a notification.
    """

    def __init__(
        self, folder: Path, config: str, more: Sequence[str] = (), *, resend_delay: int = 1
    ) -> None:
        resend = f"--rules.alert.resend-delay={resend_delay}s"
        super().__init__(
            program=PROMETHEUS, folder=folder, config=config, port=0, more=(resend, *more)
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the data of an API response.

        Raises:
            AssertionError: Prometheus returns an error; the message has its text.
        """
        query = urlencode(parameters, doseq=True)
        try:
            response = json.loads(fetch(f"{self.url}/api/v1/{path}?{query}"))
        except HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        return response["data"]

    def query(self, expr: str, at: float | None = None) -> list[Sample]:
        """Return the result of an instant query, by default at the present time."""
        time = {} if at is None else {"time": at}
        result = self.get("query", query=expr, **time)["result"]
        return [Sample(series["metric"], float(series["value"][1])) for series in result]

    def query_sum(self, expr: str, at: float | None = None) -> float:
        """Return the sum of all values of an instant query."""
        return sum(sample.value for sample in self.query(expr, at))

    def self_metric(self, name: str) -> float:
        """Return the sum of all series of a metric about Prometheus itself."""
        lines = fetch(f"{self.url}/metrics").decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def is_firing(self, alert: str, **labels: str) -> bool:
        """True if an alert fires at its latest evaluation since the start of the server."""
        expected = {"alertname": alert, **labels}.items()
        return any(
            expected <= active["labels"].items() and active["state"] == "firing"
            for active in self.get("alerts")["alerts"]
        )


def write_fast_rules(folder: Path, prefixes: Iterable[str] = ("",)) -> str:
    """Write the fast rule files whose names have one of the prefixes, and return the folder."""
    folder.mkdir(parents=True)
    for name, text in rules():
        if name.startswith(tuple(prefixes)):
            (folder / name).write_text(text)
    return str(folder)


def alertmanager(folder: Path, webhook_url: str) -> Backend:
    """Return an Alertmanager with one URL for all notifications."""
    config = alertmanager_config(webhook_url)
    return Backend(program=ALERTMANAGER, folder=folder, config=config, port=0)
