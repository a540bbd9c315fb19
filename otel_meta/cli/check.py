"""``otel-meta check``: is what is declared consistent, and do rules hold to it?"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_meta.errors import DeclarationError
from otel_meta.extras import ExtraImports
from otel_meta.model import Catalog

from . import catalog_loader as catalog
from .result import FINDINGS, WELL, Result

if TYPE_CHECKING:
    from otel_meta.check.rule_lint import CheckResult


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check", help="check the catalogue, and rules against it; exit code 1 with findings"
    )
    catalog.add_options(parser)
    parser.add_argument(
        "--rules",
        action="extend",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="rule files, or folders of them, whose names and joins are to be checked as well",
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Say what is wrong, a line each."""
    try:
        declared = catalog.catalog_of(args)
    except DeclarationError as error:
        return Result(FINDINGS, " ".join(str(error).split()))
    findings = list(map(str, declared.problems()))
    well = [_well(declared)]
    if args.rules:
        checked = _rules(declared, args.rules)
        findings += map(str, checked.findings)
        well.append(f"{checked.files} files, {checked.rules} rules: no findings")
    if findings:
        return Result(FINDINGS, "\n".join(findings))
    return Result(WELL, "\n".join(well))


def _rules(declared: Catalog, paths: list[Path]) -> CheckResult:
    with ExtraImports("generate", "Checking rules"):
        from otel_meta.check.rule_lint import check  # noqa: PLC0415 - needs an extra
    return check(declared, paths)


def _well(declared: Catalog) -> str:
    metrics = {instrument.prometheus_name for _, instrument in declared.instruments()}
    slos = sum(len(repo.slos) for repo in declared)
    return f"{len(declared)} meta-repositories, {len(metrics)} metrics, {slos} SLOs: no problems"
