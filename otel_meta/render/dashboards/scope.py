"""The services that a dashboard shows: matchers of the chosen services, and legends of them."""

from __future__ import annotations

from dataclasses import dataclass

from otel_meta.model.identity import Identity
from otel_meta.render.rules.promql_builder import equals
from otel_meta.render.rules.series_names import NAMESPACE, SERVICE, SLO
from otel_meta.status.slo_links import variable_of

from .grafana.panel import legend_of


@dataclass(frozen=True)
class Scope:
    """The services that a reader chooses by variables, in every environment and cluster."""

    identity: Identity
    repo: str = ""
    """The meta-repository; without a name, the reader chooses it."""

    @property
    def namespace_matchers(self) -> tuple[str, ...]:
        """Matchers of the meta-repository."""
        return (equals(NAMESPACE, self.repo) if self.repo else chosen(NAMESPACE),)

    @property
    def place_matchers(self) -> tuple[str, ...]:
        """Matchers of the chosen environments and clusters; "All" matches series without them."""
        return tuple(map(chosen, self.identity.places))

    @property
    def own_matchers(self) -> tuple[str, ...]:
        """Matchers of the chosen services and places, without the meta-repository."""
        return (chosen(SERVICE), *self.place_matchers)

    @property
    def service_matchers(self) -> tuple[str, ...]:
        """Matchers of the chosen services."""
        return (*self.namespace_matchers, *self.own_matchers)

    @property
    def slo_matchers(self) -> tuple[str, ...]:
        """Matchers of the chosen SLOs of the chosen services; a fixed repository shows all SLOs."""
        return self.service_matchers if self.repo else (*self.service_matchers, chosen(SLO))

    @property
    def service_labels(self) -> tuple[str, ...]:
        """The labels that tell the services of a legend apart."""
        return (SERVICE, *self.identity.places)

    @property
    def service_legend(self) -> str:
        """The legend of a service; Grafana leaves absent labels empty."""
        return legend_of(self.service_labels)

    @property
    def slo_legend(self) -> str:
        """The legend of an SLO of a service."""
        return legend_of((SLO, *self.service_labels))


def chosen(label: str) -> str:
    """Return the matcher of a label's chosen values."""
    return f'{label}=~"${variable_of(label)}"'
