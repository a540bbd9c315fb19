"""The watchdog's notifications, sent by a real Alertmanager sixty times as fast."""

from __future__ import annotations

import time
from pathlib import Path

from tests.backends.alerting_servers import alertmanager
from tests.backends.notification_receiver import NotificationReceiver
from tests.rules.prometheus_server import fetch

MINUTES = 12
"""The seconds of the test are minutes of the configuration."""
WATCHDOG = {"labels": {"alertname": "Watchdog", "severity": "none"}}


def test_watchdog_notifies_each_minute(tmp_path: Path) -> None:
    """A notification of the watchdog leaves each minute, not every other minute."""
    with (
        NotificationReceiver() as receiver,
        alertmanager(tmp_path / "alertmanager", receiver.url) as server,
    ):
        server.wait_until_ready()
        end = time.monotonic() + MINUTES
        while time.monotonic() < end:
            fetch(f"{server.url}/api/v2/alerts", [WATCHDOG])
            time.sleep(0.2)
        sent = len(receiver.bodies("/watchdog"))

    assert sent > 0.8 * MINUTES
