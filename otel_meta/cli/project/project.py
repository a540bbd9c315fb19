"""The choices of a project: the table, under the options of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

from otel_meta.model import Catalog
from otel_meta.model.arguments import did_you_mean
from otel_meta.model.identity import PLACES, Identity
from otel_meta.model.slo.correction import Correction
from otel_meta.render.links import Links
from otel_meta.render.options import SEVERITIES, Foreign, Kubernetes, Options, TicketHours
from otel_meta.render.receivers import RECEIVERS, Receivers, Webhooks
from otel_meta.render.rules.alert_texts import NO_SEVERITY
from otel_meta.status.corrections_file import check_corrections, read_corrections
from otel_meta.status.slo_links import LinkBases

from .config_file import ConfigFile, ProjectConfigError, read_config
from .config_rows import FOLDERS, ROWS, TABLE

_SEVERITY_PAIRS: Final = len(SEVERITIES)
_TEAMS: Final = ("receivers", "teams")


@dataclass(frozen=True, kw_only=True)
class Project:
    """The choices of a project.

    Args:
        file: the project's table.
        given: checked values of options of the command line, by the key of the table.
    """

    file: ConfigFile = field(default_factory=ConfigFile)
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def value(self, key: str, default: Any = None) -> Any:
        """Return the value of a key; the command line wins, name by name in a table of texts."""
        in_file = self.file.values.get(tuple(key.split(".")), default)
        given = self.given.get(key)
        if given is None:
            return in_file
        if isinstance(given, dict):
            return dict[str, Any](in_file or {}) | cast("dict[str, Any]", given)
        return given

    @property
    def repos(self) -> tuple[str, ...]:
        """Meta-repositories to add to the catalogue, as MODULE:CLASS."""
        return tuple(self.value("repos", ()))

    @property
    def out(self) -> Path:
        """The target folder."""
        if "out" in self.given:
            return Path(self.given["out"])
        in_file = self.file.values.get(("out",))
        return self.file.folder / in_file if in_file else Path()

    @property
    def corrections_file(self) -> Path | None:
        """The file of corrections, if there is one."""
        if "corrections" in self.given:
            return Path(self.given["corrections"])
        in_file = self.file.values.get(("corrections",))
        return self.file.folder / in_file if in_file else None

    @cached_property
    def corrections(self) -> tuple[Correction, ...]:
        """The corrections of the file.

        Raises:
            DeclarationError: the file cannot be read, or a correction is wrong.
        """
        path = self.corrections_file
        return read_corrections(path) if path else ()

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders to write."""
        return tuple(self.value("folders", FOLDERS))

    @property
    def options(self) -> Options:
        """The choices of the generators."""
        return Options(
            **self._present(
                {
                    "format": "rule_format",
                    "prometheus": "prometheus",
                    "images": "images",
                    "traces": "traces",
                    "native_histograms": "native_histograms",
                }
            ),
            **self._present({"jobs": "jobs"}),
            **self._present({"labels": "alert_labels", "annotations": "alert_annotations"}),
            identity=Identity(self.places),
            links=Links(**self._present({"runbooks": "runbooks", "dashboards": "dashboards"})),
            receivers=self._receivers(),
            severities={**SEVERITIES, **self.value("severities", {})},
            kubernetes=Kubernetes(**self._present(_fields("kubernetes", "namespace", "labels"))),
            ticket_hours=self._ticket_hours(),
            corrections=self.corrections,
            foreign=Foreign(**self._present(_fields("check", "metrics", "labels"))),
        )

    @property
    def slo_links(self) -> LinkBases:
        """The bases of links on pages of SLOs, as far as they are absolute."""
        names = ("runbooks", "dashboards", "traces_url", "logs_url")
        return LinkBases(**self._present({name: name.removesuffix("_url") for name in names}))

    @property
    def places(self) -> tuple[str, ...]:
        """The labels of identity besides the meta-repository and the service."""
        replaced = self.value("identity.places", PLACES)
        return tuple(dict.fromkeys((*replaced, *self.value("identity.add", ()))))

    def _present(self, fields: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of keys by the names of fields, without the keys that are absent."""
        values = {name: self.value(key) for key, name in fields.items()}
        return {name: value for name, value in values.items() if value is not None}

    def _ticket_hours(self) -> TicketHours | None:
        zone = self.value("ticket_hours.time_zone")
        keys = {"ticket_hours.days": "days", "ticket_hours.from": "begin", "ticket_hours.to": "end"}
        return TicketHours(time_zone=zone, **self._present(keys)) if zone else None

    def _receivers(self) -> Receivers:
        default = Webhooks(
            page=self.value("receivers.page", RECEIVERS.default.page),
            ticket=self.value("receivers.ticket", RECEIVERS.default.ticket),
        )
        return Receivers(
            default=default,
            watchdog=self.value("receivers.watchdog", RECEIVERS.watchdog),
            teams={team: self._team(team, default) for team in self.teams},
        )

    @property
    def teams(self) -> tuple[str, ...]:
        """The teams with receivers of their own."""
        paths = (path for path in self.file.values if path[:2] == _TEAMS)
        return tuple(dict.fromkeys(path[2] for path in paths))

    def _team(self, team: str, default: Webhooks) -> Webhooks:
        values = self.file.values
        return Webhooks(
            page=values.get((*_TEAMS, team, "page"), default.page),
            ticket=values.get((*_TEAMS, team, "ticket"), default.ticket),
        )


def _fields(table: str, *names: str) -> dict[str, str]:
    return {f"{table}.{name}": name for name in names}


def load_project(config: Path | None, texts: Mapping[str, Any]) -> Project:
    """Return the choices of a command.

    Args:
        config: the file with the project's table; None searches it.
        texts: values of options of the command line, as typed, by the key of the table.

    Raises:
        ProjectConfigError: the table, or a combination of options, is wrong.
    """
    given = {
        row.key: row.kind.read(row.kind.of_texts([text] if isinstance(text, str) else text))
        for row in ROWS
        if (text := texts.get(row.key))
    }
    project = Project(file=read_config(config), given=given)
    _refuse(project, [*_problems(project)])
    return project


def check_against(project: Project, catalog: Catalog) -> None:
    """Refuse teams that own nothing, labels of identity that a metric has, and wrong corrections.

    Raises:
        ProjectConfigError: the project does not fit the catalogue.
        DeclarationError: a correction does not.
    """
    _refuse(project, [*_catalog_problems(project, catalog)])
    if path := project.corrections_file:
        labels = project.options.identity.service
        check_corrections(path, project.corrections, catalog, labels)


def _refuse(project: Project, problems: list[str]) -> None:
    if problems:
        where = f"{project.file.path}: [{TABLE}]" if project.file.path else "options"
        raise ProjectConfigError(*(f"{where} {problem}" for problem in problems))


def _problems(project: Project) -> Iterator[str]:
    """Yield the problems between keys."""
    yield from _severity_problems(project.options.severities.values())
    for label in project.value("labels", {}):
        if label in project.places:
            yield f"labels: {label!r} is a label of identity, which tells alerts apart; rename it"
    hours = project.options.ticket_hours
    if hours is None and any(path[0] == "ticket_hours" for path in project.file.values):
        yield 'ticket_hours: has no time_zone; add time_zone = "Europe/Berlin", or another one'
    if hours is not None and hours.begin >= hours.end:
        yield f"ticket_hours: {hours.begin} to {hours.end} is no span of a day; a day ends at 24:00"


def _severity_problems(words: Any) -> Iterator[str]:
    if len({*words}) < _SEVERITY_PAIRS:
        yield "severities: page and ticket have one word, so nothing tells them apart; write two"
    if NO_SEVERITY in words:
        yield f"severities: {NO_SEVERITY!r} is the severity of the watchdog; choose another word"


def _catalog_problems(project: Project, catalog: Catalog) -> Iterator[str]:
    owners = {repo.owner for repo in catalog}
    for team in project.teams:
        if team not in owners:
            near = did_you_mean(team, owners) or f"; owners are {', '.join(sorted(owners))}"
            yield f"receivers.teams.{team}: owns no meta-repository{near}"
    for place in project.places:
        for _, instrument in catalog.instruments():
            if place in (label.name for label in instrument.label_fields):
                name = instrument.prometheus_name
                yield f"identity: {place!r} is a label of {name}; rename one of the two"
