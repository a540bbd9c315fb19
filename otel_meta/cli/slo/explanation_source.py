"""Where a command finds the explanation of a burn: at the server of the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from otel_meta.cli.project.asked_server import server_connection
from otel_meta.cli.project.project import Project
from otel_meta.cli.slo_names import chosen_slos
from otel_meta.fleet.explain.explanation import Question, explain
from otel_meta.fleet.explain.explanation_json import ExplanationJson, explanation_json
from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.model import Catalog, Duration


class AskedBurn(NamedTuple):
    """The SLO, the service and the time."""

    slo: str
    services: Mapping[str, str]
    span: Duration
    at: float


def explanation(project: Project, catalog: Catalog, asked: AskedBurn) -> ExplanationJson:
    """Return the explanation of a burn.

    Raises:
        UsageError: no server is named, or there is no such SLO.
        BackendError: the server cannot be asked, or has no recordings of the SLO.
    """
    ((repo, slo),) = chosen_slos(catalog, [asked.slo], named_by="")
    question = Question(
        catalog=catalog,
        repo=repo,
        slo=slo,
        services=asked.services,
        span=asked.span,
        at=asked.at,
    )
    return explanation_json(
        explain(PrometheusApi(server_connection(project)), project.options, question)
    )
