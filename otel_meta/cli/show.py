"""``otel-meta show``: print the catalogue as tables or as JSON."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any, Final, cast

from otel_meta.errors import UsageError

from .catalog_loader import add_catalog_options, load_catalog
from .describe import catalog_as_json
from .project.project import load_project
from .result import OK, Result
from .table import table

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


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("show", help="show meta-repositories, metrics and SLOs")
    known = "|".join(_COLUMNS)
    parser.add_argument("tables", nargs="*", metavar=known, help="tables to show (all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_catalog_options(parser)
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Render the tables."""
    for name in args.tables:
        if name not in _COLUMNS:
            raise UsageError(f"cannot show {name!r}; choose from {', '.join(_COLUMNS)}")
    declared = catalog_as_json(load_catalog(load_project(args)))
    chosen = {name: declared[name] for name in args.tables or _COLUMNS}
    if args.json:
        return Result(OK, json.dumps(chosen, indent=2))
    return Result(OK, "\n\n".join(_as_table(name, rows) for name, rows in chosen.items()))


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
