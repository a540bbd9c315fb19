"""``otel-meta generate``: write what follows from the catalogue, or say what is out of date."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otel_meta.errors import UsageError
from otel_meta.extras import ExtraImports
from otel_meta.model import Catalog

from . import catalog_loader as catalog
from .result import FINDINGS, WELL, Result

if TYPE_CHECKING:
    from otel_meta.render.artifacts import Artifact

_SHOWN: Final = 20
_FOLDERS: Final = ("rules", "docs", "dashboards", "collector-config", "stack")
_TOLD: Final = {
    "page": "alerts that wake somebody",
    "ticket": "alerts that wait for working hours",
    "watchdog": "a sign each minute that alerting works",
}
_FORMATS: Final = ("prometheus", "prometheus-operator", "mimir", "vmalert")


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("generate", help="write rules and what else follows")
    catalog.add_options(parser)
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to (here)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if out of date")
    parser.add_argument(
        "--format", choices=_FORMATS, default=_FORMATS[0], help="whose rule files (prometheus)"
    )
    parser.add_argument("--runbooks", metavar="URL", help="where runbook links begin")
    parser.add_argument("--dashboards", metavar="URL", help="where dashboard links begin")
    for name, who in _TOLD.items():
        parser.add_argument(f"--{name}-webhook", metavar="URL", help=f"where to send {who}")
    parser.add_argument("--folders", nargs="+", choices=_FOLDERS, help="these alone (all)")
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Write, or check."""
    declared = catalog.catalog_of(args)
    _refuse_problems(declared)
    with ExtraImports("generate", "Generating files"):
        from . import sync  # noqa: PLC0415 - needs an extra
    artifacts = _artifacts(declared, args)
    if args.check:
        stale = list(sync.stale(artifacts, args.out))
        told = [
            f"{one.path} is out of date; run: otel-meta generate\n{_beginning(one.diff)}"
            for one in stale
        ]
        return Result(FINDINGS if stale else WELL, "\n".join(told))
    return Result(WELL, "\n".join(map(str, sync.write(artifacts, args.out))))


def _beginning(diff: str) -> str:
    lines = diff.splitlines()
    left_out = len(lines) - _SHOWN
    more = [f"... {left_out} more lines"] if left_out > 0 else []
    return "\n".join([*lines[:_SHOWN], *more, ""])


def _artifacts(declared: Catalog, args: Namespace) -> list[Artifact]:
    with ExtraImports("generate", "Generating files"):
        from otel_meta.render import artifacts as render  # noqa: PLC0415 - needs an extra
        from otel_meta.render.links import Links  # noqa: PLC0415 - likewise
        from otel_meta.render.stack import RECEIVERS  # noqa: PLC0415 - likewise
    given = {"runbooks": args.runbooks, "dashboards": args.dashboards}
    options = render.Options(
        rule_format=args.format,
        links=Links(**{name: url.rstrip("/") for name, url in given.items() if url}),
        receivers=RECEIVERS.at(**{name: getattr(args, f"{name}_webhook") for name in _TOLD}),
    )
    artifacts = render.artifacts_of(declared, options)
    return [one for one in artifacts if one.path.parts[0] in (args.folders or _FOLDERS)]


def _refuse_problems(declared: Catalog) -> None:
    for problem in declared.problems():
        raise UsageError(f"the catalogue has a problem: {problem}")
