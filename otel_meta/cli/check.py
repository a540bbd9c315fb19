"""``otel-meta check``: is what is declared consistent?"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from otel_meta.errors import DeclarationError
from otel_meta.model import Catalog

from . import catalog


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("check", help="check the catalogue; exit code 1 with findings")
    catalog.add_options(parser)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Print what is wrong with the catalogue, a line each."""
    try:
        declared = catalog.catalog_of(args)
    except DeclarationError as error:
        print(error)
        return 1
    problems = declared.problems()
    print("\n".join(map(str, problems)) if problems else _well(declared))
    return 1 if problems else 0


def _well(declared: Catalog) -> str:
    metrics = {instrument.prometheus_name for _, instrument in declared.instruments()}
    slos = sum(len(repo.slos) for repo in declared)
    return f"{len(declared)} meta-repositories, {len(metrics)} metrics, {slos} SLOs: no problems"
