"""``otel-meta budget``: what an error budget means, from the declaration and from the fleet."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NamedTuple

from typer import Option

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.console.progress import progress
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.option_set import JsonOption
from otel_meta.cli.project.asked_server import NO_SERVER, has_server, server_connection
from otel_meta.cli.project.config_kinds import TEXT
from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import SloArgument, checked, with_server_project
from otel_meta.cli.slo.option_values import events as read_events
from otel_meta.cli.slo.option_values import objective as read_objective
from otel_meta.cli.slo_names import chosen_slos
from otel_meta.errors import UsageError
from otel_meta.model import Catalog, MetaRepo, Objective, Slo
from otel_meta.model.identity import SERVICE

if TYPE_CHECKING:
    from otel_meta.cli.budget.budget_json import BudgetJson


class _Asked(NamedTuple):
    """The SLO, and what is asked about it."""

    catalog: Catalog
    repo: type[MetaRepo]
    slo: Slo
    services: Mapping[str, str]
    events: int | None
    other: Slo | None
    """The SLO with another objective, under which the recorded past is replayed."""


@with_server_project
def budget(
    project: Project,
    name: SloArgument,
    *,
    service: Annotated[
        str | None,
        Option(
            metavar="NAME", parser=checked(TEXT), help="A service (each that the server knows)."
        ),
    ] = None,
    events: Annotated[
        int | None,
        Option(
            metavar="N",
            parser=read_events,
            help="Events in a period; for time slices, seconds (those of the server).",
        ),
    ] = None,
    objective: Annotated[
        Objective | None,
        Option(
            metavar="PERCENT",
            parser=read_objective,
            help="Replay the recorded past under this objective, such as 99.95%.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> Result:
    """Say what an error budget means: bad events, thresholds, outages, and when each alert fires.

    The declaration is enough. With a server, the present budgets of its services are shown as well.
    """
    catalog = load_catalog(project)
    ((repo, slo),) = chosen_slos(catalog, [name], named_by="")
    if not has_server(project) and (service or objective):
        raise UsageError(f"--{'service' if service else 'objective'} asks a server; {NO_SERVER}")
    services = {SERVICE: service} if service else {}
    other = replace(slo, objective=objective) if objective else None
    found = _budget(project, _Asked(catalog, repo, slo, services, events, other))
    if as_json:
        return Result(ExitCode.OK, json.dumps(found, indent=2))
    # Local imports: rich is for tables.
    from otel_meta.cli.budget.budget_report import budget_report  # noqa: PLC0415
    from otel_meta.cli.console.rendered import rendered  # noqa: PLC0415

    return Result(ExitCode.OK, rendered(budget_report(found)))


def _budget(project: Project, asked: _Asked) -> BudgetJson:
    # Local imports: the HTTP client is for commands that ask.
    from otel_meta.cli.budget.budget_json import budget_json, declared_budget  # noqa: PLC0415

    if not has_server(project):
        budgets = [declared_budget(asked.slo, asked.events)]
        return budget_json(asked.repo, asked.slo, budgets, project.options)
    with progress(f"Asking {project.value('server.url')}"):
        return _recorded_budget(project, asked)


def _recorded_budget(project: Project, asked: _Asked) -> BudgetJson:
    """Return the budgets of the services of a server, and their past if another objective asks."""
    from otel_meta.cli.budget.budget_json import budget_json, service_budget  # noqa: PLC0415
    from otel_meta.cli.budget.budget_replay import replays  # noqa: PLC0415
    from otel_meta.fleet.fleet_statuses import Fleet  # noqa: PLC0415
    from otel_meta.fleet.prometheus_api import PrometheusApi  # noqa: PLC0415
    from otel_meta.status.status_json import status_json  # noqa: PLC0415

    api = PrometheusApi(server_connection(project))
    fleet = Fleet(api, project.options)
    statuses = fleet.statuses(asked.catalog, [asked.slo.name], asked.services)
    budgets = [service_budget(status, asked.events) for status in statuses]
    found = budget_json(asked.repo, asked.slo, budgets, project.options)
    found["statuses"] = [status_json(status) for status in statuses]
    if asked.other is not None:
        slos = (asked.slo, asked.other)
        found["replay"] = replays(api, slos, asked.services, int(time.time()))
    return found
