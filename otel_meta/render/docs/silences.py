"""The command of a runbook that silences an alert."""

from __future__ import annotations

from typing import Final

from otel_meta.render.hosts import ALERTMANAGER

from .markdown import code

OF_SERVICE: Final = 'service_name="SERVICE"'
"""The matcher of an alert about a service; without the matcher, other services are silent too."""
OF_SERVER: Final = 'instance="INSTANCE"'
"""The matcher of an alert about a Collector, Prometheus or Alertmanager."""
_URL: Final = f"http://localhost:{ALERTMANAGER.port}"


def silencing(matchers: str) -> str:
    """Return the text and the command; amtool needs the address of Alertmanager."""
    return (
        "To silence the alert while you work on the cause, with the labels of the notification "
        "(also its environment and cluster, if there are several):\n\n"
    ) + code(
        f'amtool --alertmanager.url={_URL} silence add --duration=2h --author="you" '
        f'--comment="who, why" {matchers}',
        "sh",
    )
