from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from otel_meta.cli.demo.webhook_receiver import WebhookReceiver

BURNS = {"alertname": "SloBurnsFast", "severity": "page", "slo": "a-b", "service_name": "shop"}
OPEN = build_opener(ProxyHandler({})).open


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """A receiver that listens."""
    with WebhookReceiver() as listening:
        yield listening


def post(receiver: WebhookReceiver, path: str, *alerts: tuple[dict[str, str], str]) -> int:
    """Notify as Alertmanager does."""
    told = [{"labels": labels, "status": status} for labels, status in alerts]
    request = Request(f"{receiver.url}{path}", json.dumps({"alerts": told}).encode(), method="POST")
    with OPEN(request, timeout=5) as answer:
        return answer.status


class TestNewNotifications:
    def test_said(self, receiver: WebhookReceiver) -> None:
        """An alert is told with its severity, promise and service."""
        assert 200 == post(receiver, "/page", (BURNS, "firing"))
        assert ["page SloBurnsFast a-b shop firing"] == receiver.new_notifications()

    def test_once(self, receiver: WebhookReceiver) -> None:
        """What stands as before is not told again."""
        post(receiver, "/page", (BURNS, "firing"))
        receiver.new_notifications()
        post(receiver, "/page", (BURNS, "firing"))

        assert [] == receiver.new_notifications()

    def test_resolved(self, receiver: WebhookReceiver) -> None:
        """The end of an alert is news, and so is its coming back."""
        for status in ("firing", "resolved", "firing"):
            post(receiver, "/page", (BURNS, status))

        new = receiver.new_notifications()

        assert ["firing", "resolved", "firing"] == [line.split()[-1] for line in new]

    def test_no_promise(self, receiver: WebhookReceiver) -> None:
        """An alert about no promise is told without one."""
        post(receiver, "/ticket", ({"alertname": "A", "severity": "ticket"}, "firing"))

        assert ["ticket A firing"] == receiver.new_notifications()

    def test_watchdog(self, receiver: WebhookReceiver) -> None:
        """The watchdog is taken, and not told."""
        watchdog = {"alertname": "Watchdog", "severity": "none"}

        assert 200 == post(receiver, "/watchdog", (watchdog, "firing"))
        assert [] == receiver.new_notifications()
