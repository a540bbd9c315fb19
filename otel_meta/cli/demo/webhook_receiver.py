"""The receiver of Alertmanager's notifications in the demo, each change once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from threading import Lock
from typing import Final, NamedTuple

from otel_meta.testing.http_receiver import HttpReceiver

_WATCHDOG: Final = "/watchdog"
"""Path of the watchdog, which fires all the time and is not shown."""


class Notification(NamedTuple):
    """An alert that has begun to fire, or is resolved."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    status: str

    @property
    def alert(self) -> str:
        """The labels that name the alert."""
        names = ("severity", "alertname", "slo", "service_name")
        return " ".join(value for name in names if (value := self.labels.get(name)))

    def __str__(self) -> str:
        return f"{self.alert} {self.status}"


class WebhookReceiver(HttpReceiver):
    """Listens on a free port of loopback while its context is open."""

    def __init__(self) -> None:
        super().__init__()
        self._new: list[Notification] = []
        self._status_by_alert: Final[dict[str, str]] = {}
        self._lock: Final = Lock()

    def receive(self, path: str, body: bytes) -> int:
        """Keep the changes of a notification; the rest repeats alerts of earlier notifications."""
        if path != _WATCHDOG:
            with self._lock:
                for alert in json.loads(body)["alerts"]:
                    fields = (alert["labels"], alert["annotations"], alert["status"])
                    self._update(Notification(*fields))
        return HTTPStatus.OK

    def new_notifications(self) -> list[Notification]:
        """Return alerts fired or resolved since the last call."""
        with self._lock:
            new, self._new = self._new, []
        return new

    def _update(self, notification: Notification) -> None:
        if self._status_by_alert.get(notification.alert) != notification.status:
            self._status_by_alert[notification.alert] = notification.status
            self._new.append(notification)
