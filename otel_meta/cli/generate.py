"""``otel-meta generate``: write or check the files generated from the catalogue."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any, Final

from otel_meta.errors import UsageError
from otel_meta.extras import ExtraImports
from otel_meta.model import Catalog
from otel_meta.render.links import Links

from .catalog_loader import add_catalog_options, load_catalog
from .project.config_options import add_row_options
from .project.config_rows import FOLDERS, TABLE
from .project.project import Project, load_project
from .result import FINDINGS, OK, Result

if TYPE_CHECKING:
    from otel_meta.render.artifacts import Artifact

    from .sync import Stale

_DIFF_LINES: Final = 20


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("generate", help="write rules, dashboards, runbooks and the rest")
    add_catalog_options(parser)
    parser.add_argument(
        "--check", action="store_true", help="write no file; exit 1 if one is out of date"
    )
    parser.add_argument(
        "--folders",
        dest=f"{TABLE}.folders",
        nargs="+",
        choices=FOLDERS,
        help="folders to write (all)",
    )
    add_row_options(parser)
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Write the files; with ``--check``, report outdated files."""
    project = load_project(args)
    declared = load_catalog(project)
    _refuse_problems(declared)
    artifacts = _artifacts(declared, project)
    with ExtraImports("generate", "Generating files"):
        from . import sync  # noqa: PLC0415 - needs an extra
    if args.check:
        stale = list(sync.stale(artifacts, project.out))
        return Result(FINDINGS if stale else OK, "\n".join(map(_finding, stale)))
    return Result(OK, "\n".join([str(sync.write(artifacts, project.out)), *_notes(project)]))


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
    """Return a note about links that lead nowhere from a notification."""
    links, relative = project.options.links, Links()
    keys = [
        key for key in ("runbooks", "dashboards") if getattr(links, key) == getattr(relative, key)
    ]
    if not keys or "rules" not in project.folders:
        return []
    options = " and ".join(f"--{key} URL" for key in keys)
    note = (
        f"note: the links of alerts to {' and '.join(keys)} are relative, and lead nowhere from a "
        f"notification; add {options}, or the keys to [tool.otel_meta]"
    )
    return [note]


def _refuse_problems(declared: Catalog) -> None:
    for problem in declared.problems():
        raise UsageError(f"the catalogue has a problem: {problem}")
