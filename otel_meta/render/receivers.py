"""The receivers of notifications: the webhooks of severities and teams, and of the watchdog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from otel_meta.model import Severity

from .hosts import NOTIFICATIONS


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """The webhooks of a team."""

    page: str
    """URL for urgent alerts."""
    ticket: str
    """URL for alerts during working hours."""

    def url(self, severity: Severity) -> str:
        """Return the webhook of a severity."""
        return self.page if severity == "page" else self.ticket


@dataclass(frozen=True, kw_only=True)
class Receivers:
    """The receivers of alerts."""

    default: Webhooks
    """Webhooks of every team that is not in `teams`."""
    watchdog: str
    """URL of a service with an alarm for missing notifications."""
    teams: Mapping[str, Webhooks] = field(default_factory=dict[str, Webhooks])

    def with_webhooks(
        self, *, page: str | None = None, ticket: str | None = None, watchdog: str | None = None
    ) -> Receivers:
        """Return receivers in which the given webhooks replace the default webhooks."""
        default = Webhooks(page=page or self.default.page, ticket=ticket or self.default.ticket)
        return Receivers(default=default, watchdog=watchdog or self.watchdog, teams=self.teams)


RECEIVERS: Final = Receivers(
    default=Webhooks(page=f"{NOTIFICATIONS.url}/page", ticket=f"{NOTIFICATIONS.url}/ticket"),
    watchdog=f"{NOTIFICATIONS.url}/watchdog",
)
"""The receivers of the stack: a container that prints all notifications."""
