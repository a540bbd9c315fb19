"""The receivers of notifications: the webhooks of severities and teams, and of the watchdog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from otel_meta.model import Severity

from .hosts import NOTIFICATIONS


@dataclass(frozen=True)
class Existing:
    """A receiver of the user's own Alertmanager, by its name."""

    name: str


Target = str | Existing
"""The URL of a webhook, or a receiver that exists already."""


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """The receivers of a team."""

    page: Target
    """Receiver of urgent alerts."""
    ticket: Target
    """Receiver of alerts during working hours."""

    def target(self, severity: Severity) -> Target:
        """Return the receiver of a severity."""
        return self.page if severity == "page" else self.ticket


@dataclass(frozen=True, kw_only=True)
class Receivers:
    """The receivers of alerts."""

    default: Webhooks
    """Receivers of every team that is not in `teams`."""
    watchdog: Target
    """A service with an alarm for missing notifications."""
    teams: Mapping[str, Webhooks] = field(default_factory=dict[str, Webhooks])
    """Receivers by the owner of the meta-repository."""


RECEIVERS: Final = Receivers(
    default=Webhooks(page=f"{NOTIFICATIONS.url}/page", ticket=f"{NOTIFICATIONS.url}/ticket"),
    watchdog=f"{NOTIFICATIONS.url}/watchdog",
)
"""The receivers of the stack: a container that prints all notifications."""
