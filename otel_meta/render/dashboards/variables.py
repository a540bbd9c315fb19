"""The variables of dashboards: menus for the data source, services and SLOs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_meta.render.rules.promql_builder import equals, selector
from otel_meta.render.rules.series_names import NAMESPACE, OBJECTIVE, SERVICE, SLO, TOTAL, UP

from ._sdk import Builder, common_models, dashboard, models

Variable = Builder[models.VariableModel]

PROMETHEUS: Final = common_models.DataSourceRef(type_val="prometheus", uid="${datasource}")

ALL_VALUE: Final = ".*"
"""The regular expression of the choice "All"; it also matches series without the label."""
SERVICE_MATCHER: Final = f'{SERVICE}=~"$service"'
NAMESPACE_MATCHER: Final = f'{NAMESPACE}=~"$namespace"'
SLO_MATCHER: Final = f'{SLO}=~"$slo"'


def datasource() -> Variable:
    """Return the variable of the Prometheus data source."""
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def trace_stores() -> Iterable[Variable]:
    """Return a variable for each kind of trace store; without a data source its menu is empty."""
    yield dashboard.DatasourceVariable("tempo").label("Traces (Tempo)").type("tempo")
    yield dashboard.DatasourceVariable("jaeger").label("Traces (Jaeger)").type("jaeger")


def service_of(namespace: str) -> Variable:
    """Return the variable of a meta-repository's services."""
    return _label_values(
        "service", "Service", selector(UP, [equals(NAMESPACE, namespace)]), SERVICE
    )


def slo_variables() -> Iterable[Variable]:
    """Return the variables of all meta-repositories, services and SLOs."""
    yield _label_values("namespace", "Meta-repository", OBJECTIVE, NAMESPACE)
    yield _label_values("service", "Service", selector(TOTAL, [NAMESPACE_MATCHER]), SERVICE)
    yield _label_values("slo", "SLO", selector(OBJECTIVE, [NAMESPACE_MATCHER]), SLO)


def _label_values(name: str, title: str, series: str, label: str) -> Variable:
    query = f"label_values({series}, {label})"
    return (
        dashboard.QueryVariable(name)
        .label(title)
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
