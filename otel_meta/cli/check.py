"""``otel-meta check``: check the catalogue, and compare rule files with the catalogue."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_meta.errors import DeclarationError
from otel_meta.extras import ExtraImports
from otel_meta.model import Catalog

from .catalog_loader import add_catalog_options, load_catalog
from .project.project import load_project
from .result import FINDINGS, OK, Result

if TYPE_CHECKING:
    from otel_meta.check.rule_lint import CheckResult


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check", help="check the catalogue, and rules against it; exit code 1 with findings"
    )
    add_catalog_options(parser)
    parser.add_argument(
        "--rules",
        action="extend",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="rule files or folders: also check their metric names, labels and joins",
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Report each finding as a line."""
    try:
        declared = load_catalog(load_project(args))
    except DeclarationError as error:
        return Result(FINDINGS, " ".join(str(error).split()))
    findings = list(map(str, declared.problems()))
    summary = [_catalog_summary(declared)]
    if args.rules:
        checked = _check_rules(declared, args.rules)
        findings += map(str, checked.findings)
        summary.append(f"{checked.files} files, {checked.rules} rules: no findings")
    if findings:
        return Result(FINDINGS, "\n".join(findings))
    return Result(OK, "\n".join(summary))


def _check_rules(declared: Catalog, paths: list[Path]) -> CheckResult:
    with ExtraImports("generate", "Checking rules"):
        from otel_meta.check.rule_lint import check  # noqa: PLC0415 - needs an extra
    return check(declared, paths)


def _catalog_summary(declared: Catalog) -> str:
    metrics = {instrument.prometheus_name for _, instrument in declared.instruments()}
    slos = sum(len(repo.slos) for repo in declared)
    return f"{len(declared)} meta-repositories, {len(metrics)} metrics, {slos} SLOs: no problems"
