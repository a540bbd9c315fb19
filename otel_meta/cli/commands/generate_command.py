"""``otel-meta generate``: write or check the files generated from the catalogue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final

from typer import Option

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.console.progress import progress
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.option_set import JsonOption
from otel_meta.cli.project.link_notes import link_notes
from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import with_generator_project
from otel_meta.errors import UsageError
from otel_meta.extras import ExtraImports
from otel_meta.model import Catalog
from otel_meta.status.corrections_file import overlaps

if TYPE_CHECKING:
    from otel_meta.cli.sync import Stale
    from otel_meta.render.artifacts import Artifact

_DIFF_LINES: Final = 20


@with_generator_project
def generate(
    project: Project,
    *,
    check: Annotated[
        bool, Option("--check", help="Write no file; exit code 1 if one is out of date.")
    ] = False,
    as_json: JsonOption = False,
) -> Result:
    """Write rules, dashboards, runbooks and the rest."""
    declared = load_catalog(project)
    _refuse_problems(declared)
    with progress(f"Rendering the files of {len(declared)} meta-repositories"):
        artifacts = _artifacts(declared, project)
    with ExtraImports("generate", "Generating files"):
        from otel_meta.cli import sync  # noqa: PLC0415 - needs an extra
    if check:
        return _compared(list(sync.stale(artifacts, project.out)), as_json=as_json)
    written = sync.write(artifacts, project.out)
    notes = _notes(project)
    if as_json:
        return Result(ExitCode.OK, json.dumps({**written.as_json(), "notes": notes}, indent=2))
    return Result(ExitCode.OK, "\n".join([str(written), *notes]))


def _compared(stale: list[Stale], *, as_json: bool) -> Result:
    code = ExitCode.FINDINGS if stale else ExitCode.OK
    if as_json:
        files = [{"path": str(file.path), "diff": file.diff} for file in stale]
        return Result(code, json.dumps({"out_of_date": files}, indent=2))
    return Result(code, "\n".join(map(_finding, stale)))


def _finding(file: Stale) -> str:
    return f"{file.path} is out of date; run: otel-meta generate\n{_first_lines(file.diff)}"


def _first_lines(diff: str) -> str:
    lines = diff.splitlines()
    left_out = len(lines) - _DIFF_LINES
    rest = [f"... {left_out} more lines"] if left_out > 0 else []
    return "\n".join([*lines[:_DIFF_LINES], *rest, ""])


def _artifacts(declared: Catalog, project: Project) -> list[Artifact]:
    with ExtraImports("generate", "Generating files"):
        from otel_meta.render import artifacts as render  # noqa: PLC0415 - needs an extra
    artifacts = render.artifacts_of(declared, project.options)
    return [each for each in artifacts if each.path.parts[0] in project.folders]


def _notes(project: Project) -> list[str]:
    """Return notes about links that lead nowhere, and about corrections that overlap."""
    path = project.corrections_file
    overlapping = overlaps(path, project.corrections) if path else ()
    return [*link_notes(project), *(f"note: {each}" for each in overlapping)]


def _refuse_problems(declared: Catalog) -> None:
    for problem in declared.problems():
        raise UsageError(f"the catalogue has a problem: {problem}")
