"""``list_slos``: the statuses of the fleet, or without a server the declared SLOs."""

from __future__ import annotations

from typing import Final

from otel_meta.cli.project.asked_server import NO_SERVER, has_server
from otel_meta.cli.slo.found_statuses import FoundStatuses
from otel_meta.cli.slo.selection import Selection
from otel_meta.cli.slo.status_sources import fleet_source
from otel_meta.errors import UsageError
from otel_meta.model import MetaRepo, Slo
from otel_meta.status.page.ordering import urgency
from otel_meta.status.sli_text import event_noun, sli_text
from otel_meta.status.status_json import StatusJson

from .tool_answers import UNKNOWN, FleetTexts, SloList, SloRow
from .tool_sources import Sources

_WORST_FIRST: Final = "The status of each SLO of each service, worst first."
_DECLARED: Final = f"The statuses are not known, since {NO_SERVER}. These SLOs are declared."


def slo_list(
    sources: Sources, limit: int, *, state: str = "", repo: str = "", service: str = ""
) -> SloList:
    """Return the SLOs.

    Args:
        sources: the catalogue and the server.
        limit: the most SLOs to return.
        state: only SLOs in this state.
        repo: only SLOs of this meta-repository.
        service: only SLOs of this service.

    Raises:
        UsageError: there is no such meta-repository, or no server to ask for states and services.
        BackendError: the server cannot be asked.
    """
    chosen = sources.repo_name(repo) if repo else ""
    if not has_server(sources.project):
        if state or service:
            raise UsageError(f"states and services are known to a server only; {NO_SERVER}")
        return _declared(sources, chosen, limit)
    found = _found(sources, chosen, service)
    rows = [row for row in sorted(found.rows, key=urgency) if state in ("", row["state"])]
    return SloList(
        status_known=True,
        note=_WORST_FIRST,
        slos=[*map(status_row, rows[:limit])],
        left_out=max(0, len(rows) - limit),
        data_from_telemetry=FleetTexts.model_validate(
            {"notes": [*found.notes], "corrections": [*found.corrections]}
        ),
    )


def status_row(status: StatusJson) -> SloRow:
    """Return the answer's row of a status."""
    texts = {"service": status["service"], "firing": status["firing"]}
    return SloRow.model_validate({**status, "data_from_telemetry": texts})


def _found(sources: Sources, repo: str, service: str) -> FoundStatuses:
    selection = Selection(
        repos=(repo,) if repo else (), services=(service,) if service else (), slos=()
    )
    return fleet_source(sources.project, selection)()


def _declared(sources: Sources, only: str, limit: int) -> SloList:
    rows = [
        _declared_row(repo, slo)
        for repo in sources.catalog
        for slo in repo.slos.values()
        if only in ("", repo.name)
    ]
    return SloList(
        status_known=False,
        note=_DECLARED,
        slos=rows[:limit],
        left_out=max(0, len(rows) - limit),
    )


def _declared_row(repo: type[MetaRepo], slo: Slo) -> SloRow:
    return SloRow(
        name=slo.name,
        repo=repo.name,
        owner=repo.owner,
        objective=str(slo.objective),
        period=str(slo.period),
        why=slo.why,
        good_event=sli_text(slo.sli),
        noun=event_noun(slo.sli),
        state=UNKNOWN,
    )
