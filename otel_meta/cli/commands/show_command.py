"""``otel-meta show``: print the catalogue as tables or as JSON."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, cast

from typer import Argument, Option

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.console.plain_table import table
from otel_meta.cli.describe import catalog_as_json
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.project.config_options import with_project
from otel_meta.cli.project.project import Project
from otel_meta.errors import UsageError

_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "repos": {
        "META-REPOSITORY": "name",
        "OWNER": "owner",
        "TIER": "tier",
        "METRICS": "metrics",
        "SLOS": "slos",
        "DESCRIPTION": "description",
    },
    "metrics": {
        "META-REPOSITORY": "repo",
        "METRIC": "prometheus_name",
        "TYPE": "type",
        "UNIT": "unit",
        "LABELS": "labels",
    },
    "slos": {
        "META-REPOSITORY": "repo",
        "SLO": "name",
        "OBJECTIVE": "objective",
        "PERIOD": "period",
        "SLI": "sli.good",
    },
}
"""For each table, a heading and the key of the values for each column."""


@with_project
def show(
    project: Project,
    tables: Annotated[
        list[str] | None, Argument(metavar="TABLE...", help=f"{', '.join(_COLUMNS)} (all).")
    ] = None,
    *,
    as_json: Annotated[bool, Option("--json", help="Print JSON.")] = False,
) -> Result:
    """Show meta-repositories, metrics and SLOs."""
    for name in tables or ():
        if name not in _COLUMNS:
            raise UsageError(f"cannot show {name!r}; choose from {', '.join(_COLUMNS)}")
    declared = catalog_as_json(load_catalog(project))
    chosen = {name: declared[name] for name in tables or _COLUMNS}
    if as_json:
        return Result(ExitCode.OK, json.dumps(chosen, indent=2))
    return Result(ExitCode.OK, "\n\n".join(_as_table(name, rows) for name, rows in chosen.items()))


def _as_table(name: str, rows: list[dict[str, Any]]) -> str:
    columns = _COLUMNS[name]
    cells = [[_cell(row, *key.split(".")) for key in columns.values()] for row in rows]
    return table(list(columns), cells)


def _cell(row: dict[str, Any], *path: str) -> str:
    value: Any = row
    for key in path:
        value = value[key]
    text = ", ".join(cast("dict[str, Any]", value)) if isinstance(value, dict) else str(value)
    return text or "-"
