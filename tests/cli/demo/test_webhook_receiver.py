from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from otel_meta.cli.demo.webhook_receiver import Pager

BURNS = {
    "alertname": "SloErrorBudgetBurnFast",
    "severity": "page",
    "slo": "a-b",
    "service_name": "shop",
}
OPEN = build_opener(ProxyHandler({})).open


@pytest.fixture
def pager() -> Iterator[Pager]:
    """A pager that listens."""
    with Pager() as listening:
        yield listening


def post(pager: Pager, path: str, *alerts: tuple[dict[str, str], str]) -> int:
    """Notify as Alertmanager does."""
    told = [{"labels": labels, "status": status} for labels, status in alerts]
    request = Request(f"{pager.url}{path}", json.dumps({"alerts": told}).encode(), method="POST")
    with OPEN(request, timeout=5) as answer:
        return answer.status


class TestNews:
    def test_said(self, pager: Pager) -> None:
        """An alert is told with its severity, promise and service."""
        assert 200 == post(pager, "/page", (BURNS, "firing"))
        assert ["page SloErrorBudgetBurnFast a-b shop firing"] == pager.news()

    def test_once(self, pager: Pager) -> None:
        """What stands as before is not told again."""
        post(pager, "/page", (BURNS, "firing"))
        pager.news()
        post(pager, "/page", (BURNS, "firing"))

        assert [] == pager.news()

    def test_resolved(self, pager: Pager) -> None:
        """The end of an alert is news, and so is its coming back."""
        for status in ("firing", "resolved", "firing"):
            post(pager, "/page", (BURNS, status))

        assert ["firing", "resolved", "firing"] == [line.split()[-1] for line in pager.news()]

    def test_no_promise(self, pager: Pager) -> None:
        """An alert about no promise is told without one."""
        post(pager, "/ticket", ({"alertname": "A", "severity": "ticket"}, "firing"))

        assert ["ticket A firing"] == pager.news()

    def test_watchdog(self, pager: Pager) -> None:
        """The watchdog is taken, and not told."""
        watchdog = {"alertname": "Watchdog", "severity": "none"}

        assert 200 == post(pager, "/watchdog", (watchdog, "firing"))
        assert [] == pager.news()
