"""``otel-meta show``: print the catalogue as tables or as JSON."""

from __future__ import annotations

import json
from itertools import chain
from typing import Annotated, Any, Final, cast

from typer import Argument

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.completion import complete_names
from otel_meta.cli.console.tables import table
from otel_meta.cli.describe import catalog_as_json
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.option_set import JsonOption
from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import with_project
from otel_meta.errors import UsageError
from otel_meta.model.arguments import did_you_mean

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


Declared = dict[str, list[dict[str, Any]]]


@with_project
def show(
    project: Project,
    names: Annotated[
        list[str] | None,
        Argument(
            metavar="NAME",
            help=f"Tables ({', '.join(_COLUMNS)}), or names of meta-repositories, metrics and "
            "SLOs (all).",
            autocompletion=complete_names,
        ),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> Result:
    """Show meta-repositories, metrics and SLOs, as tables or as JSON."""
    chosen = _chosen(catalog_as_json(load_catalog(project)), names or [*_COLUMNS])
    if as_json:
        return Result(ExitCode.OK, json.dumps(chosen, indent=2))
    return Result(ExitCode.OK, "\n\n".join(_as_table(name, rows) for name, rows in chosen.items()))


def _chosen(declared: Declared, names: list[str]) -> Declared:
    """Return whole tables, and the rows of other names."""
    chosen: Declared = {}
    for name in names:
        tables = [name] if name in declared else _tables_with(name, declared)
        for table_name in tables:
            rows = [row for row in declared[table_name] if name in (table_name, *_names_of(row))]
            known = chosen.setdefault(table_name, [])
            known += [row for row in rows if row not in known]
    return chosen


def _tables_with(name: str, declared: Declared) -> list[str]:
    """Return the tables with a row of a name.

    Raises:
        UsageError: no table has such a row.
    """
    rows = {
        key: {each for row in table for each in _names_of(row)} for key, table in declared.items()
    }
    found = [key for key, names in rows.items() if name in names]
    if not found:
        near = did_you_mean(name, {*_COLUMNS, *chain.from_iterable(rows.values())})
        choose = near or f"; choose from {', '.join(_COLUMNS)}, or name one of their rows"
        raise UsageError(f"cannot show {name!r}{choose}")
    return found


def _names_of(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row[key] for key in ("name", "prometheus_name") if key in row)


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
