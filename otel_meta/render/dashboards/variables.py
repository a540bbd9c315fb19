"""The variables of dashboards: menus for the data sources, services, places and SLOs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from otel_meta.model.identity import ENVIRONMENT
from otel_meta.render.options import TraceStore
from otel_meta.render.rules.promql_builder import selector
from otel_meta.render.rules.series_names import NAMESPACE, OBJECTIVE, SERVICE, SLO, UP
from otel_meta.status.slo_links import variable_of

from .grafana._sdk import dashboard, models
from .grafana.dashboard import Variable
from .grafana.sources import PROMETHEUS
from .scope import Scope

ALL_VALUE: Final = ".*"
"""The regular expression of the choice "All"; it also matches series without the label."""
TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        NAMESPACE: "Meta-repository",
        SERVICE: "Service",
        SLO: "SLO",
        ENVIRONMENT: "Environment",
        "environment": "Environment (label)",
        "cluster": "Cluster",
    }
)
"""The titles of menus and columns, by label."""


def title_of_label(label: str) -> str:
    """Return the title of a label's menu and column."""
    return TITLES.get(label, label.replace("_", " ").capitalize())


def datasource() -> Variable:
    """Return the variable of the Prometheus data source."""
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def trace_source(store: TraceStore) -> Variable:
    """Return the variable of the data source of traces, of the kind that the project uses."""
    return dashboard.DatasourceVariable("traces").label("Traces").type(store)


def service_variables(scope: Scope) -> Iterator[Variable]:
    """Return the variables of a scope: its meta-repository if not fixed, services and places.

    A place that no series has is a menu with the choice "All" alone.
    """
    if not scope.repo:
        yield _label_values(NAMESPACE, UP, ())
    yield _label_values(SERVICE, UP, scope.namespace_matchers)
    for place in scope.identity.places:
        yield _label_values(place, UP, scope.namespace_matchers)


def slo_variable(scope: Scope) -> Variable:
    """Return the variable of the SLOs of the chosen services."""
    return _label_values(SLO, OBJECTIVE, scope.service_matchers)


def _label_values(label: str, series: str, matchers: Iterable[str]) -> Variable:
    name = variable_of(label)
    query = f"label_values({selector(series, matchers)}, {label})"
    return (
        dashboard.QueryVariable(name)
        .label(title_of_label(label))
        .datasource(PROMETHEUS)
        .query({"query": query, "refId": f"{name}-values"})
        .definition(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(ALL_VALUE)
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )
