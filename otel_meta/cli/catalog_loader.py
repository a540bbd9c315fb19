"""Load the catalogue of a command: the built-in meta-repositories and the added ones."""

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
"""Entry-point group for the meta-repositories of installed packages."""


def add_catalog_options(parser: ArgumentParser) -> None:
    """Add the options for the catalogue."""
    parser.add_argument(
        "--repo",
        action="append",
        default=[],
        metavar="MODULE:CLASS",
        help="add a meta-repository, importable from the working directory; may be repeated",
    )
    parser.add_argument(
        "--installed",
        action="store_true",
        help=f"add the meta-repositories in the entry-point group {ENTRY_POINTS}",
    )
    parser.add_argument(
        "--only", action="store_true", help="without the built-in meta-repositories"
    )


def load_catalog(args: Namespace) -> Catalog:
    """Load the selected catalogue.

    Raises:
        UsageError: a meta-repository cannot be loaded, or the catalogue is empty.
        DeclarationError: a declaration is invalid.
    """
    named = [load_repo(spec) for spec in args.repo]
    if args.installed:
        named += [
            load_repo(f"{entry.module}:{entry.attr}", f"entry point {entry.name} of {ENTRY_POINTS}")
            for entry in entry_points(group=ENTRY_POINTS)
        ]
    catalog = (Catalog() if args.only else BUILTIN).with_repos(*named)
    if not catalog:
        raise UsageError("--only needs a meta-repository; add --repo MODULE:CLASS")
    return catalog


def load_repo(spec: str, named_by: str = "") -> type[MetaRepo]:
    """Import a meta-repository; the working directory is importable.

    Args:
        spec: module and class, as in ``acme.atlas:Atlas``.
        named_by: the source of the spec, for the error; by default the option ``--repo``.

    Raises:
        UsageError: the module cannot be imported, or has no such meta-repository.
        DeclarationError: a declaration in the module is invalid.
    """
    named_by = named_by or f"--repo {spec}"
    module_name, colon, class_name = spec.partition(":")
    if not (module_name and colon and class_name):
        raise UsageError(f"{named_by}: write it as MODULE:CLASS, for example acme.atlas:Atlas")
    found: Any = getattr(_import(named_by, module_name), class_name, None)
    if not _is_repo(found):
        module = sys.modules[module_name]
        raise UsageError(f"{named_by}: {_problem_of(module, class_name, found)}")
    return found


def _import(named_by: str, name: str) -> Any:
    _make_importable(Path())
    try:
        with redirect_stdout(
            sys.stderr
        ):  # the output of the import is not the output of the command
            return import_module(name)
    except DeclarationError:
        raise
    except (Exception, SystemExit) as error:  # a module of the user may raise anything
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"{named_by}: cannot import {name}: {message}") from error


def _make_importable(folder: Path) -> None:
    try:
        path = str(folder.resolve(strict=True))
    except OSError:  # the working directory has been removed
        return
    if path not in sys.path:
        sys.path.insert(0, path)


def _problem_of(module: object, wanted: str, found: object) -> str:
    names = [name for name, member in vars(module).items() if _is_repo(member)]
    if found is not None:
        return f"{wanted} is not a meta-repository; {_suggestion(names, wanted)}"
    return f"there is no {wanted} in that module; {_suggestion(names, wanted)}"


def _is_repo(found: object) -> TypeGuard[type[MetaRepo]]:
    return isinstance(found, type) and issubclass(found, MetaRepo) and found is not MetaRepo


def _suggestion(names: list[str], wanted: str) -> str:
    if not names:
        return "declare one with class Name(MetaRepo, name=..., owner=...)"
    near = get_close_matches(wanted, names, n=1)
    return f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}"
