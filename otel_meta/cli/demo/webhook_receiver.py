"""The receiver of Alertmanager's notifications in the demo, one line for each change."""

from __future__ import annotations

import json
from http import HTTPStatus
from threading import Lock
from typing import Final

from otel_meta.testing.http_receiver import HttpReceiver

_WATCHDOG: Final = "/watchdog"
"""Path of the watchdog, which fires all the time and is not shown."""


class WebhookReceiver(HttpReceiver):
    """Listens on a free port of loopback while its context is open."""

    def __init__(self) -> None:
        super().__init__()
        self._new: list[str] = []
        self._status_by_alert: Final[dict[str, str]] = {}
        self._lock: Final = Lock()

    def receive(self, path: str, body: bytes) -> int:
        """Keep the changes of a notification; the rest repeats alerts of earlier notifications."""
        if path != _WATCHDOG:
            with self._lock:
                for alert in json.loads(body)["alerts"]:
                    self._update(_title(alert["labels"]), alert["status"])
        return HTTPStatus.OK

    def new_notifications(self) -> list[str]:
        """Return alerts fired or resolved since the last call, as lines."""
        with self._lock:
            new, self._new = self._new, []
        return new

    def _update(self, alert: str, status: str) -> None:
        if self._status_by_alert.get(alert) != status:
            self._status_by_alert[alert] = status
            self._new.append(f"{alert} {status}")


def _title(labels: dict[str, str]) -> str:
    values = (labels.get(name) for name in ("severity", "alertname", "slo", "service_name"))
    return " ".join(value for value in values if value)
