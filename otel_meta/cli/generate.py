"""``otel-meta generate``: write or check the files generated from the catalogue."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otel_meta.errors import UsageError
from otel_meta.extras import ExtraImports
from otel_meta.model import Catalog

from .catalog_loader import add_catalog_options, load_catalog
from .result import FINDINGS, OK, Result

if TYPE_CHECKING:
    from otel_meta.render.artifacts import Artifact

_DIFF_LINES: Final = 20
_FOLDERS: Final = ("rules", "docs", "dashboards", "collector-config", "stack")
_NOTIFICATIONS: Final = {
    "page": "alerts that page",
    "ticket": "alerts that open a ticket",
    "watchdog": "the watchdog, each minute",
}
_FORMATS: Final = (
    "prometheus",
    "prometheus-operator",
    "thanos-ruler",
    "mimir",
    "vmalert",
    "victoriametrics-operator",
    "helm",
)


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("generate", help="write rules, dashboards, runbooks and the rest")
    add_catalog_options(parser)
    parser.add_argument(
        "--out", type=_folder, default=Path(), metavar="DIR", help="target folder (.)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write no file; exit 1 if one is out of date"
    )
    parser.add_argument(
        "--format", choices=_FORMATS, default=_FORMATS[0], help="format of rule files (prometheus)"
    )
    parser.add_argument("--runbooks", type=_url, metavar="URL", help="base of links to runbooks")
    parser.add_argument(
        "--dashboards", type=_url, metavar="URL", help="base of links to dashboards"
    )
    for name, kind in _NOTIFICATIONS.items():
        parser.add_argument(
            f"--{name}-webhook", type=_url, metavar="URL", help=f"receiver of {kind}"
        )
    parser.add_argument("--folders", nargs="+", choices=_FOLDERS, help="folders to write (all)")
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Write the files; with ``--check``, report outdated files."""
    declared = load_catalog(args)
    _refuse_problems(declared)
    with ExtraImports("generate", "Generating files"):
        from . import sync  # noqa: PLC0415 - needs an extra
    artifacts = _artifacts(declared, args)
    if args.check:
        stale = list(sync.stale(artifacts, args.out))
        findings = [
            f"{file.path} is out of date; run: otel-meta generate\n{_first_lines(file.diff)}"
            for file in stale
        ]
        return Result(FINDINGS if stale else OK, "\n".join(findings))
    touched = sync.write(artifacts, args.out)
    return Result(OK, "\n".join(str(p) if p.exists() else f"removed {p}" for p in touched))


def _folder(text: str) -> Path:
    if not text.strip():  # of a variable that is not set: Path("") would be the working directory
        raise ArgumentTypeError("the name is empty; name a folder, or omit --out")
    return Path(text)


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ArgumentTypeError(f"{text!r} is not a URL; write it as https://host/path")
    return text


def _first_lines(diff: str) -> str:
    lines = diff.splitlines()
    left_out = len(lines) - _DIFF_LINES
    rest = [f"... {left_out} more lines"] if left_out > 0 else []
    return "\n".join([*lines[:_DIFF_LINES], *rest, ""])


def _artifacts(declared: Catalog, args: Namespace) -> list[Artifact]:
    with ExtraImports("generate", "Generating files"):
        from otel_meta.render import artifacts as render  # noqa: PLC0415 - needs an extra
        from otel_meta.render.links import Links  # noqa: PLC0415 - likewise
        from otel_meta.render.options import Options  # noqa: PLC0415 - likewise
        from otel_meta.render.receivers import RECEIVERS  # noqa: PLC0415 - likewise
    given = {"runbooks": args.runbooks, "dashboards": args.dashboards}
    options = Options(
        rule_format=args.format,
        links=Links(**{name: url.rstrip("/") for name, url in given.items() if url}),
        receivers=RECEIVERS.with_webhooks(
            **{name: getattr(args, f"{name}_webhook") for name in _NOTIFICATIONS}
        ),
    )
    artifacts = render.artifacts_of(declared, options)
    return [each for each in artifacts if each.path.parts[0] in (args.folders or _FOLDERS)]


def _refuse_problems(declared: Catalog) -> None:
    for problem in declared.problems():
        raise UsageError(f"the catalogue has a problem: {problem}")
