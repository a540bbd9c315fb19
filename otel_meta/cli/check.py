"""``otel-meta check``: check the catalogue, and compare rule files with the catalogue."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otel_meta.check.finding import Diagnostic, Finding, Place
from otel_meta.check.reports import REPORTS
from otel_meta.errors import DeclarationError
from otel_meta.extras import ExtraImports
from otel_meta.model import Catalog
from otel_meta.render.options import Foreign, Options

from .catalog_loader import add_catalog_options, load_catalog
from .project.project import load_project
from .result import FINDINGS, OK, Result

if TYPE_CHECKING:
    from otel_meta.check.rule_lint import CheckResult

_LABEL: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_METRICS: Final = re.compile(r"[A-Za-z_:*?][A-Za-z0-9_:*?]*")
_PLACED: Final = re.compile(r"(?P<file>[^\s:]+\.py):(?P<line>\d+): (?P<problem>.*)", re.DOTALL)


def add_to(commands: Any) -> None:
    """Add the command."""
    parser: ArgumentParser = commands.add_parser(
        "check", help="check the catalogue, and rules against it; exit code 1 with findings"
    )
    add_catalog_options(parser)
    _add_list(parser, "--rules", "PATH", "rule files or folders to check as well", _path)
    _add_list(
        parser,
        "--label",
        "NAME",
        "labels that scraping or external labels add to every series, beside the usual ones",
        _form(_LABEL, "a label, such as region"),
    )
    _add_list(
        parser,
        "--metric",
        "PATTERN",
        "metrics of other programs, beside the usual ones, such as 'mysql_*'",
        _form(_METRICS, "the name of a metric, or a pattern such as 'mysql_*'"),
    )
    parser.add_argument(
        "--format",
        dest="report",  # the key `format` of a project is the format of rule files
        choices=tuple(REPORTS),
        default="text",
        help="format of the findings (text)",
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Report the findings; as text, a line for each finding or the number of checked names."""
    report = REPORTS[args.report]
    try:
        project = load_project(args)
        declared = load_catalog(project)
    except DeclarationError as error:
        return Result(FINDINGS, report([_of_declaration(str(error))]))
    findings = [_of_declaration(str(problem)) for problem in declared.problems()]
    findings += [] if findings else _collisions(declared, project.options)
    summary = [_catalog_summary(declared)]
    if args.rules:
        checked = _check_rules(declared, args, project.options)
        findings += checked.findings
        summary.append(f"{checked.files} files, {checked.rules} rules: no findings")
    text = "\n".join(summary) if args.report == "text" and not findings else report(findings)
    return Result(FINDINGS if findings else OK, text)


def _add_list(
    parser: ArgumentParser, name: str, metavar: str, text: str, type_: Callable[[str], Any]
) -> None:
    parser.add_argument(
        name, action="extend", nargs="+", type=type_, default=[], metavar=metavar, help=text
    )


def _form(pattern: re.Pattern[str], form: str) -> Callable[[str], str]:
    """Return a reader of an argument of a form."""

    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ArgumentTypeError(f"{text!r} is not {form}")
        return text

    return read


def _path(text: str) -> Path:
    if not text:  # of a variable that is not set: Path("") would be the working directory
        raise ArgumentTypeError("the name is empty; name a file or a folder")
    return Path(text)


def _of_declaration(problem: str) -> Finding:
    placed = _PLACED.fullmatch(problem)
    if placed is None:
        return Finding("", "", "", Diagnostic("declaration", problem))
    place = Place(int(placed["line"]), 1)
    return Finding(placed["file"], "", "", Diagnostic("declaration", placed["problem"]), place)


def _collisions(declared: Catalog, options: Options) -> list[Finding]:
    """Return the collision of generated names; none where no files can be generated."""
    try:
        from otel_meta.render.artifacts import artifacts_of  # noqa: PLC0415 - needs an extra
    except ImportError:
        return []
    try:
        artifacts_of(declared, options)
    except DeclarationError as error:
        return [_of_declaration(str(error))]
    return []


def _check_rules(declared: Catalog, args: Namespace, options: Options) -> CheckResult:
    with ExtraImports("generate", "Checking rules"):
        from otel_meta.check.rule_lint import check  # noqa: PLC0415 - needs an extra
    foreign = Foreign(
        metrics=(*options.foreign.metrics, *args.metric),
        labels=(*options.foreign.labels, *args.label),
    )
    return check(declared, args.rules, replace(options, foreign=foreign))


def _catalog_summary(declared: Catalog) -> str:
    metrics = {instrument.prometheus_name for _, instrument in declared.instruments()}
    slos = sum(len(repo.slos) for repo in declared)
    return f"{len(declared)} meta-repositories, {len(metrics)} metrics, {slos} SLOs: no problems"
