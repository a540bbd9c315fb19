"""A webhook receiver that keeps Alertmanager's notifications."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from otel_meta.testing.http_receiver import HttpReceiver
from tests.waiting import wait_until


class Notification(NamedTuple):
    """A notification, and the path of its webhook."""

    path: str
    body: dict[str, Any]


class NotificationReceiver(HttpReceiver):
    """Receives webhooks on a free port while its context is open."""

    def __init__(self) -> None:
        super().__init__()
        self.notifications: list[Notification] = []

    def receive(self, path: str, body: bytes) -> int:
        """Keep a notification."""
        self.notifications.append(Notification(path, json.loads(body)))
        return 200

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
