"""``otel-meta check``: check the catalogue, and compare rule files with the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from typer import Option

from otel_meta.check.finding import Diagnostic, Finding, Place
from otel_meta.check.reports import REPORTS
from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.completion import completing
from otel_meta.cli.console.progress import progress
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.project.config_kinds import choice
from otel_meta.cli.project.link_notes import link_notes
from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import checked, with_project
from otel_meta.errors import DeclarationError
from otel_meta.extras import ExtraImports
from otel_meta.model import Catalog
from otel_meta.render.options import Foreign, Options

if TYPE_CHECKING:
    from otel_meta.check.rule_lint import CheckResult

_LABEL: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_METRICS: Final = re.compile(r"[A-Za-z_:*?][A-Za-z0-9_:*?]*")
_PLACED: Final = re.compile(r"(?P<file>[^\s:]+\.py):(?P<line>\d+): (?P<problem>.*)", re.DOTALL)


def _form(pattern: re.Pattern[str], form: str) -> Callable[[str], str]:
    """Return a reader of an argument of a form."""

    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text!r} is not {form}")
        return text

    return read


def _path(text: str) -> Path:
    if not text:  # of a variable that is not set: Path("") would be the working directory
        raise ValueError("the name is empty; name a file or a folder")
    return Path(text)


@with_project
def check(
    project: Project,
    *,
    rules: Annotated[
        list[Path] | None,
        Option(metavar="PATH...", parser=_path, help="Rule files or folders to check as well."),
    ] = None,
    label: Annotated[
        list[str] | None,
        Option(
            metavar="NAME...",
            parser=_form(_LABEL, "a label, such as region"),
            help="Labels that scraping or external labels add to every series, beside the usual "
            "ones.",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        Option(
            metavar="PATTERN...",
            parser=_form(_METRICS, "the name of a metric, or a pattern such as 'mysql_*'"),
            help="Metrics of other programs, beside the usual ones, such as 'mysql_*'.",
        ),
    ] = None,
    form: Annotated[
        str,
        Option(
            "--format",
            metavar="|".join(REPORTS),
            parser=checked(choice(REPORTS)),
            autocompletion=completing(REPORTS),
            help="Format of the findings.",
        ),
    ] = "text",
    as_json: Annotated[bool, Option("--json", help="As --format json.")] = False,
) -> Result:
    """Check the catalogue, and rules against it; exit code 1 with findings."""
    form = "json" if as_json else form
    report = REPORTS[form]
    try:
        declared = load_catalog(project)
    except DeclarationError as error:
        return Result(ExitCode.FINDINGS, report([_of_declaration(str(error))]))
    findings = [_of_declaration(str(problem)) for problem in declared.problems()]
    with progress(f"Checking {len(declared)} meta-repositories"):
        findings += [] if findings else _collisions(declared, project.options)
    summary = [_catalog_summary(declared)]
    if rules:
        foreign = _foreign(project.options, metric or (), label or ())
        with progress("Checking rules"):
            checked = _check_rules(declared, rules, replace(project.options, foreign=foreign))
        findings += checked.findings
        summary.append(f"{checked.files} files, {checked.rules} rules: no findings")
        summary += link_notes(project)
    text = "\n".join(summary) if form == "text" and not findings else report(findings)
    return Result(ExitCode.FINDINGS if findings else ExitCode.OK, text)


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


def _foreign(options: Options, metrics: Iterable[str], labels: Iterable[str]) -> Foreign:
    return Foreign(
        metrics=(*options.foreign.metrics, *metrics), labels=(*options.foreign.labels, *labels)
    )


def _check_rules(declared: Catalog, paths: list[Path], options: Options) -> CheckResult:
    with ExtraImports("generate", "Checking rules"):
        from otel_meta.check import rule_lint  # noqa: PLC0415 - needs an extra
    return rule_lint.check(declared, paths, options)


def _catalog_summary(declared: Catalog) -> str:
    metrics = {instrument.prometheus_name for _, instrument in declared.instruments()}
    slos = sum(len(repo.slos) for repo in declared)
    return f"{len(declared)} meta-repositories, {len(metrics)} metrics, {slos} SLOs: no problems"
