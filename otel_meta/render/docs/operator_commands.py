"""The commands of runbooks, which read the labels of the notification from shell variables.

A command without its variable ends with an error of the shell: an empty matcher would silence the
alerts of other services.
"""

from __future__ import annotations

from typing import Final

from otel_meta.model import Duration
from otel_meta.render.hosts import ALERTMANAGER, PROMETHEUS

from .markdown import code

OF_SERVICE: Final = 'service_name="${SERVICE:?}"'
"""The matcher of an alert about a service; without the matcher, other services are silent too."""
OF_SERVER: Final = 'instance="${INSTANCE:?}"'
"""The matcher of an alert about a Collector, Prometheus or Alertmanager."""
OF_SLO: Final = 'slo="${SLO:?}" ' + OF_SERVICE
"""The matchers of an alert about any SLO of a service."""
OF_REPOSITORY: Final = 'meta_repository="${REPOSITORY:?}"'
"""The matcher of an alert about the SLOs of a meta-repository."""
_ALERTMANAGER: Final = f"--alertmanager.url=http://localhost:{ALERTMANAGER.port}"
_FOR_TWO_HOURS: Final = '--duration=2h --comment="work on the cause"'
_PROMETHEUS: Final = f"--prometheus http://localhost:{PROMETHEUS.port}"
_FOR_SERVICE: Final = '--service "${SERVICE:?}"'
PLACES: Final = "and add its environment and cluster, if there are several"
_LABELS: Final = {
    "SLO": "slo",
    "SERVICE": "service_name",
    "REPOSITORY": "meta_repository",
    "INSTANCE": "instance",
}
"""Variables of the shell, and the labels of the notification that are their values."""


def silencing(matchers: str) -> str:
    """Return the text and the command; amtool needs the address of Alertmanager."""
    read = [variable for variable in _LABELS if f"${{{variable}:?}}" in matchers]
    variables = " and ".join(f"`{variable}`" for variable in read)
    labels = " and the ".join(f"`{_LABELS[variable]}`" for variable in read)
    told = f", set {variables} to the {labels} of the notification, {PLACES}" if read else ""
    text = f"To silence the alert for two hours, while you work on the cause{told}:"
    return f"{text}\n\n{silence_command(matchers)}"


def silence_command(matchers: str) -> str:
    """Return the command that silences alerts for two hours."""
    return code(f"amtool {_ALERTMANAGER} silence add {_FOR_TWO_HOURS} \\\n  {matchers}", "sh")


def status_command() -> str:
    """Return the command that shows the SLOs of all services, the worst first."""
    return code(f"otel-meta slo {_PROMETHEUS}", "sh")


def service_command() -> str:
    """Return the command that shows the SLOs of a service, the worst first."""
    return code(f"otel-meta slo {_PROMETHEUS} {_FOR_SERVICE}", "sh")


def explain_command(slo: str, span: Duration) -> str:
    """Return the command that names the causes of an SLO's bad events in a service."""
    return code(f"otel-meta explain {slo} --over {span} \\\n  {_PROMETHEUS} {_FOR_SERVICE}", "sh")
