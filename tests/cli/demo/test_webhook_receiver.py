from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import Request

import pytest

from otel_meta.cli.demo.webhook_receiver import WebhookReceiver
from otel_meta.testing.loopback import open_url

ALERT = {
    "alertname": "SloErrorBudgetBurnFast",
    "severity": "page",
    "slo": "a-b",
    "service_name": "shop",
}


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """A receiver that listens."""
    with WebhookReceiver() as listening:
        yield listening


def post(receiver: WebhookReceiver, path: str, *alerts: tuple[dict[str, str], str]) -> int:
    """Send a notification like Alertmanager, and return the status."""
    payload = [
        {"labels": labels, "annotations": {"summary": "it fails"}, "status": status}
        for labels, status in alerts
    ]
    request = Request(
        f"{receiver.url}{path}", json.dumps({"alerts": payload}).encode(), method="POST"
    )
    with open_url(request, timeout=5) as response:
        return int(response.status)


def shown(receiver: WebhookReceiver) -> list[str]:
    """Return the new notifications as lines."""
    return [str(notification) for notification in receiver.new_notifications()]


class TestNewNotifications:
    def test_line_has_severity_alert_slo_and_service(self, receiver: WebhookReceiver) -> None:
        """A line has the severity, the alert, the SLO and the service."""
        assert 200 == post(receiver, "/page", (ALERT, "firing"))
        assert ["page SloErrorBudgetBurnFast a-b shop firing"] == shown(receiver)

    def test_repeated_alert_is_not_new(self, receiver: WebhookReceiver) -> None:
        """A repeated alert is not new."""
        post(receiver, "/page", (ALERT, "firing"))
        receiver.new_notifications()
        post(receiver, "/page", (ALERT, "firing"))

        assert [] == shown(receiver)

    def test_resolved_alert_and_its_return_are_new(self, receiver: WebhookReceiver) -> None:
        """A resolved alert and its return are new."""
        for status in ("firing", "resolved", "firing"):
            post(receiver, "/page", (ALERT, status))

        new = receiver.new_notifications()

        assert ["firing", "resolved", "firing"] == [notification.status for notification in new]

    def test_line_of_alert_without_slo_has_none(self, receiver: WebhookReceiver) -> None:
        """The line of an alert without an SLO has none."""
        post(receiver, "/ticket", ({"alertname": "A", "severity": "ticket"}, "firing"))

        assert ["ticket A firing"] == shown(receiver)

    def test_watchdog_is_accepted_and_not_shown(self, receiver: WebhookReceiver) -> None:
        """The watchdog is accepted and not shown."""
        watchdog = {"alertname": "Watchdog", "severity": "none"}

        assert 200 == post(receiver, "/watchdog", (watchdog, "firing"))
        assert [] == shown(receiver)

    def test_notification_has_the_texts_of_its_alert(self, receiver: WebhookReceiver) -> None:
        """A notification has the annotations of its alert."""
        post(receiver, "/page", (ALERT, "firing"))

        assert [{"summary": "it fails"}] == [n.annotations for n in receiver.new_notifications()]
