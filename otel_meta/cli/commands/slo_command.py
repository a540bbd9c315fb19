"""``otel-meta slo``: the status of each SLO, as a table, as JSON, and as a gate of a deployment."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Final

from typer import Argument, Context, Option

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.completion import complete_slos
from otel_meta.cli.console import streams
from otel_meta.cli.console.error_lines import print_error
from otel_meta.cli.console.progress import progress
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.option_set import JsonOption
from otel_meta.cli.project.config_kinds import TEXT
from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import checked, with_server_project
from otel_meta.cli.slo.option_values import StateSet, seconds, share, state, states
from otel_meta.cli.slo.selection import SERVE, Selection
from otel_meta.cli.slo.slo_gate import Gate
from otel_meta.errors import UsageError

if TYPE_CHECKING:
    from otel_meta.cli.slo.found_statuses import FoundStatuses
    from otel_meta.cli.slo.status_sources import Source

_SELECT: Final = "Selection"
_DISPLAY: Final = "Display"
_GATE: Final = "Gate of a deployment"
_SERVE: Final = "Server of the page"
_EVERY: Final = 5.0
_OF_SERVE: Final = ("host", "port")
_OF_TABLE: Final = ("shown", "as_json", "watch", "every", "fail_on", "require_coverage")


@with_server_project
def slo(
    context: Context,
    project: Project,
    urls: Annotated[
        list[str] | None,
        Argument(
            metavar="URL",
            help="Services, or their /slo pages (the fleet); or the word serve, for a page of "
            "the fleet.",
        ),
    ] = None,
    *,
    service: Annotated[
        list[str] | None,
        Option(
            metavar="NAME",
            parser=checked(TEXT),
            help="A service; may be repeated.",
            rich_help_panel=_SELECT,
        ),
    ] = None,
    slo: Annotated[
        list[str] | None,
        Option(
            metavar="NAME",
            parser=checked(TEXT),
            help="An SLO; may be repeated.",
            rich_help_panel=_SELECT,
            autocompletion=complete_slos,
        ),
    ] = None,
    shown: Annotated[
        list[str] | None,
        Option(
            "--state",
            metavar="STATE",
            parser=state,
            help="Show the SLOs in this state; may be repeated.",
            rich_help_panel=_SELECT,
        ),
    ] = None,
    as_json: JsonOption = False,
    watch: Annotated[
        bool, Option("--watch", help="Show the statuses until Ctrl-C.", rich_help_panel=_DISPLAY)
    ] = False,
    every: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            parser=seconds,
            help=f"From one query of --watch to the next ({_EVERY:.0f}).",
            rich_help_panel=_DISPLAY,
        ),
    ] = None,
    fail_on: Annotated[
        StateSet | None,
        Option(
            metavar="STATE,...",
            parser=states,
            help="Exit with code 1 if an SLO is in such a state: breached, at_risk, no_data.",
            rich_help_panel=_GATE,
        ),
    ] = None,
    require_coverage: Annotated[
        float | None,
        Option(
            metavar="PERCENT",
            parser=share,
            help="Exit with code 1 if less of a period has data, such as 25%.",
            rich_help_panel=_GATE,
        ),
    ] = None,
    host: Annotated[
        str,
        Option(
            metavar="HOST",
            parser=checked(TEXT),
            help="Address of slo serve.",
            rich_help_panel=_SERVE,
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        Option(
            metavar="PORT", min=0, max=65_535, help="Port of slo serve.", rich_help_panel=_SERVE
        ),
    ] = 8080,
) -> Result:
    """Show the status of each SLO: of services, by URL, or of the fleet, by --prometheus.

    Worst first, by meta-repository. A service that does not answer is a line, and exit code 3.
    """
    urls = urls or []
    is_served = urls[:1] == [SERVE]
    _refuse(context, _OF_TABLE if is_served else _OF_SERVE, "not for" if is_served else "for")
    gate = Gate(
        fail_on=fail_on.states if fail_on else (), required_coverage=require_coverage or 0.0
    )
    _check_display(gate, as_json=as_json, watch=watch, every=every)
    selection = Selection(
        repos=tuple(repo.name for repo in load_catalog(project))
        if "repos" in project.given
        else (),
        services=tuple(service or ()),
        slos=tuple(slo or ()),
    )
    if is_served:
        return _served(project, selection, urls[1:], (host, port))
    source = _source(context, project, urls, selection)
    if watch:
        return _watched(source, shown or [], every or _EVERY)
    with progress("Asking for the statuses"):
        found = source()
    return _shown(found, shown or [], gate, selection, as_json=as_json)


def _refuse(context: Context, names: Collection[str], verdict: str) -> None:
    """Refuse options that would say nothing."""
    for each in context.command.params:
        if each.name in names and _is_typed(context, each.name):
            raise UsageError(f"{each.opts[-1]} is {verdict} slo {SERVE}")


def _check_display(gate: Gate, *, as_json: bool, watch: bool, every: float | None) -> None:
    if every is not None and not watch:
        raise UsageError("--every is for --watch; add --watch")
    if watch and (as_json or not gate.is_open):
        raise UsageError("--watch shows a table until Ctrl-C; omit --json and the gate")


def _source(context: Context, project: Project, urls: list[str], selection: Selection) -> Source:
    # A local import: the HTTP client is for commands that ask.
    from otel_meta.cli.slo.status_sources import fleet_source, pages_source  # noqa: PLC0415

    if not urls:
        return fleet_source(project, selection)
    if "server.url" in project.given and _is_typed(context, "prometheus"):
        raise UsageError("--prometheus asks the fleet, and a URL a service; give one of them")
    is_token_given = _is_typed(context, "token")
    return pages_source(project, urls, selection, is_token_given=is_token_given)


def _served(
    project: Project, selection: Selection, urls: list[str], address: tuple[str, int]
) -> Result:
    # A local import: the HTTP client is for commands that ask.
    from otel_meta.cli.slo.status_serving import serve_fleet  # noqa: PLC0415

    if urls:
        raise UsageError(f"serve shows the fleet, not {urls[0]}; give --prometheus URL")
    serve_fleet(project, selection, *address)
    return Result(ExitCode.OK)


def _is_typed(context: Context, option: str) -> bool:
    """Return True if an option is on the command line, and not in a variable."""
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def _watched(source: Source, shown: list[str], every: float) -> Result:
    from otel_meta.cli.slo.status_watch import Watch  # noqa: PLC0415 - rich is for tables

    return Result(ExitCode.OK, Watch(source, shown, every).run())


def _shown(
    found: FoundStatuses, shown: list[str], gate: Gate, selection: Selection, *, as_json: bool
) -> Result:
    """Print the statuses; then the problems and the failures, where a log ends with them."""
    # Local imports: rich is for tables.
    from otel_meta.cli.console.rendered import rendered  # noqa: PLC0415
    from otel_meta.cli.slo.status_view import status_view, statuses_as_json  # noqa: PLC0415

    failures = [*gate.failures(found.rows, selection)]
    if as_json:
        streams.write(statuses_as_json(found, failures, shown))
    else:
        streams.write(rendered(status_view(found, shown)))
    for line in (*found.problems, *failures):
        print_error(line)
    if found.problems:
        return Result(ExitCode.BACKEND)
    if failures or not found.rows:
        return Result(ExitCode.FINDINGS)
    return Result(ExitCode.OK)
