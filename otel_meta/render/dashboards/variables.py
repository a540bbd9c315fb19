"""What a reader of a dashboard chooses at its top."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_meta.render.rules.promql_builder import equals, selector
from otel_meta.render.rules.series_names import NAMESPACE, OBJECTIVE, SERVICE, SLO, TOTAL, UP

from ._sdk import Builder, common_models, dashboard, models

Variable = Builder[models.VariableModel]

PROMETHEUS: Final = common_models.DataSourceRef(type_val="prometheus", uid="${datasource}")

EVERYTHING: Final = ".*"
"""What "All" stands for: a series without the label is meant too."""
OF_SERVICE: Final = f'{SERVICE}=~"$service"'
OF_NAMESPACE: Final = f'{NAMESPACE}=~"$namespace"'
OF_SLO: Final = f'{SLO}=~"$slo"'
CHOSEN: Final = (OF_NAMESPACE, OF_SERVICE, OF_SLO)
"""Matchers of what is chosen on the SLO page."""


def datasource() -> Variable:
    """Which Prometheus."""
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def traces() -> Iterable[Variable]:
    """Where traces are kept; the one that is not in use stays empty."""
    yield dashboard.DatasourceVariable("tempo").label("Traces (Tempo)").type("tempo")
    yield dashboard.DatasourceVariable("jaeger").label("Traces (Jaeger)").type("jaeger")


def service_of(namespace: str) -> Variable:
    """Which services of one meta-repository."""
    return _labels_of("service", "Service", selector(UP, [equals(NAMESPACE, namespace)]), SERVICE)


def slo_choices() -> Iterable[Variable]:
    """Which meta-repositories, services and promises."""
    yield _labels_of("namespace", "Meta-repository", OBJECTIVE, NAMESPACE)
    yield _labels_of("service", "Service", selector(TOTAL, [OF_NAMESPACE]), SERVICE)
    yield _labels_of("slo", "SLO", selector(OBJECTIVE, [OF_NAMESPACE]), SLO)


def _labels_of(name: str, title: str, series: str, label: str) -> Variable:
    question = f"label_values({series}, {label})"
    return (
        dashboard.QueryVariable(name)
        .label(title)
        .datasource(PROMETHEUS)
        .query({"query": question, "refId": f"{name}-values"})
        .definition(question)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(EVERYTHING)
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )
