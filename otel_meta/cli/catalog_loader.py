"""Which catalogue a command reads: the six, and whatever else is named."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from contextlib import redirect_stdout
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, TypeGuard

from otel_meta.errors import DeclarationError, UsageError
from otel_meta.model import Catalog, MetaRepo
from otel_meta.repos import BUILTIN

ENTRY_POINTS: Final = "otel_meta.repos"
"""Group in which an installed package names its meta-repositories."""


def add_options(parser: ArgumentParser) -> None:
    """Add the options by which every command finds its catalogue."""
    parser.add_argument(
        "--repo",
        action="append",
        default=[],
        metavar="MODULE:CLASS",
        help="add a meta-repository, importable from here; may be repeated",
    )
    parser.add_argument(
        "--installed",
        action="store_true",
        help=f"add those that installed packages name in the entry-point group {ENTRY_POINTS}",
    )
    parser.add_argument("--only", action="store_true", help="leave the six built-in ones out")


def catalog_of(args: Namespace) -> Catalog:
    """The catalogue that the options ask for.

    Raises:
        UsageError: something named is not there, or nothing is left.
        DeclarationError: something named declares what cannot hold.
    """
    named = [load(spec) for spec in args.repo]
    if args.installed:
        named += [
            load(f"{entry.module}:{entry.attr}", f"entry point {entry.name} of {ENTRY_POINTS}")
            for entry in entry_points(group=ENTRY_POINTS)
        ]
    catalog = (Catalog() if args.only else BUILTIN).with_repos(*named)
    if not catalog:
        raise UsageError("--only leaves nothing; name a meta-repository with --repo MODULE:CLASS")
    return catalog


def load(spec: str, named_by: str = "") -> type[MetaRepo]:
    """A meta-repository by its path, ``acme.atlas:Atlas``; the working directory is importable.

    Args:
        spec: the path.
        named_by: who names it, for the error; by default the option.

    Raises:
        UsageError: the path leads nowhere, or to something else.
        DeclarationError: the module declares what cannot hold.
    """
    named_by = named_by or f"--repo {spec}"
    module_name, colon, class_name = spec.partition(":")
    if not (module_name and colon and class_name):
        raise UsageError(f"{named_by}: write it as MODULE:CLASS, for example acme.atlas:Atlas")
    found: Any = getattr(_import(named_by, module_name), class_name, None)
    if not _is_repo(found):
        module = sys.modules[module_name]
        raise UsageError(f"{named_by}: {_not_there(module, class_name, found)}")
    return found


def _import(named_by: str, name: str) -> Any:
    _make_importable(Path())
    try:
        with redirect_stdout(sys.stderr):  # what a module says while it is imported is no answer
            return import_module(name)
    except DeclarationError:
        raise
    except (Exception, SystemExit) as error:  # somebody's module may raise anything
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"{named_by}: cannot import {name}: {said}") from error


def _make_importable(folder: Path) -> None:
    try:
        path = str(folder.resolve(strict=True))
    except OSError:  # the working directory may have been removed
        return
    if path not in sys.path:
        sys.path.insert(0, path)


def _not_there(module: object, wanted: str, found: object) -> str:
    names = [name for name, member in vars(module).items() if _is_repo(member)]
    if found is not None:
        return f"{wanted} is no meta-repository; {_offer(names, wanted)}"
    return f"there is no {wanted} in that module; {_offer(names, wanted)}"


def _is_repo(found: object) -> TypeGuard[type[MetaRepo]]:
    return isinstance(found, type) and issubclass(found, MetaRepo) and found is not MetaRepo


def _offer(names: list[str], wanted: str) -> str:
    if not names:
        return "declare one with class Name(MetaRepo, name=..., owner=...)"
    near = get_close_matches(wanted, names, n=1)
    return f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}"
