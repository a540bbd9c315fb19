"""The identity of a service in Prometheus: the labels by which its series are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NAMESPACE: Final = "service_namespace"
"""The meta-repository of a service, from ``service.namespace``."""
SERVICE: Final = "service_name"
"""The name of a service, from ``service.name``."""
ENVIRONMENT: Final = "deployment_environment_name"
"""The environment of a service, from ``deployment.environment.name``."""
PLACES: Final = (ENVIRONMENT, "environment", "cluster")
"""Labels that tell environments and clusters apart where a series has them."""


def attribute_of(label: str) -> str:
    """Return the resource attribute of a label, such as cloud.region of cloud_region."""
    return label.replace("_", ".")


@dataclass(frozen=True)
class Identity:
    """The labels of a service in every rule, join, dashboard and notification.

    A service without one of the places is the same service: in PromQL, an absent label is an empty
    label, in ``by`` as in ``on``.
    """

    places: tuple[str, ...] = PLACES
    """Labels besides the meta-repository and the name of the service."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The resource attributes that become the labels of a service."""
        return tuple(attribute_of(label) for label in self.service)

    @property
    def service(self) -> tuple[str, ...]:
        """The labels of a service, which meets each SLO separately."""
        return (NAMESPACE, SERVICE, *self.places)

    @property
    def slo(self) -> tuple[str, ...]:
        """The labels of the recordings of an SLO."""
        return ("slo", *self.service)


DEFAULT: Final = Identity()
"""The identity without a choice of the user."""
