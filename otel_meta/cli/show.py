"""``otel-meta show``: what is declared, as tables or as JSON."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any, Final, cast

from otel_meta.errors import UsageError

from . import catalog_loader as catalog
from .describe import catalog_as_json
from .result import WELL, Result
from .table import table

_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "repos": {
        "META-REPOSITORY": "name",
        "OWNER": "owner",
        "TIER": "tier",
        "METRICS": "metrics",
        "SLOS": "slos",
        "WHAT": "description",
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
        "GOOD": "sli.good",
    },
}
"""For each table, the heads of its columns and the keys of what stands below them."""


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("show", help="show meta-repositories, metrics and SLOs")
    known = "|".join(_COLUMNS)
    parser.add_argument("what", nargs="*", metavar=known, help="what to show; by default all")
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")
    catalog.add_options(parser)
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Show what is declared."""
    for what in args.what:
        if what not in _COLUMNS:
            raise UsageError(f"cannot show {what!r}; choose from {', '.join(_COLUMNS)}")
    declared = catalog_as_json(catalog.catalog_of(args))
    chosen = {what: declared[what] for what in args.what or _COLUMNS}
    if args.json:
        return Result(WELL, json.dumps(chosen, indent=2))
    return Result(WELL, "\n\n".join(_as_table(what, rows) for what, rows in chosen.items()))


def _as_table(what: str, rows: list[dict[str, Any]]) -> str:
    columns = _COLUMNS[what]
    cells = [[_cell(row, *key.split(".")) for key in columns.values()] for row in rows]
    return table(list(columns), cells)


def _cell(row: dict[str, Any], *path: str) -> str:
    value: Any = row
    for key in path:
        value = value[key]
    text = ", ".join(cast("dict[str, Any]", value)) if isinstance(value, dict) else str(value)
    return text or "-"
