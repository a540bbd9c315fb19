"""Load the catalogue of a command: the built-in meta-repositories and the added ones."""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, TypeGuard

import otel_meta
from otel_meta.errors import DeclarationError, UsageError
from otel_meta.model import Catalog, MetaRepo
from otel_meta.model.arguments import did_you_mean, nearest_name
from otel_meta.repos import BUILTIN

from .project.project import Project, check_against

ENTRY_POINTS: Final = "otel_meta.repos"
"""Entry-point group for the meta-repositories of installed packages."""

_OWN_FOLDER: Final = f"{Path(otel_meta.__file__).parent}{os.sep}"
_IMPORTLIB: Final = f"{Path(importlib.__file__).parent}{os.sep}"
_LIBRARIES: Final = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
"""Folders of installed packages, which are not the user's own lines."""


def load_catalog(project: Project) -> Catalog:
    """Load the catalogue of a project.

    Names of meta-repositories limit the catalogue to these; MODULE:CLASS adds to the catalogue.

    Raises:
        ProjectConfigError: the project's table does not fit the catalogue.
        UsageError: a meta-repository cannot be loaded, or the catalogue is empty.
        DeclarationError: a declaration is invalid.
    """
    added, installed = [*_added_repos(project)], [*_installed_repos(project)]
    names = [spec for spec in project.repos if _is_name(spec)]
    if names:
        known = BUILTIN.with_repos(*_repos_of_table(project), *added, *installed)
        catalog = Catalog().with_repos(*(repo_of_name(name, known) for name in names), *added)
    else:
        catalog = (Catalog() if project.value("only") else BUILTIN).with_repos(*added, *installed)
    if not catalog:
        raise UsageError("--only needs a meta-repository; add --repo MODULE:CLASS")
    check_against(project, catalog)
    return catalog


def _is_name(spec: str) -> bool:
    return ":" not in spec


def _added_repos(project: Project) -> Iterator[type[MetaRepo]]:
    """Load the classes of ``--repo``, or else of the project's table."""
    if "repos" not in project.given:
        return _repos_of_table(project)
    return (load_repo(spec) for spec in project.repos if not _is_name(spec))


def _repos_of_table(project: Project) -> Iterator[type[MetaRepo]]:
    """Load the classes of the project's table."""
    _make_importable(project.file.folder)
    for spec in project.file.values.get(("repos",), ()):
        if not _is_name(spec):
            yield load_repo(spec, f"repos of {project.file.path}: {spec}")


def _installed_repos(project: Project) -> Iterator[type[MetaRepo]]:
    for entry in entry_points(group=ENTRY_POINTS) if project.value("installed") else ():
        named_by = f"entry point {entry.name} of {ENTRY_POINTS}"
        yield load_repo(f"{entry.module}:{entry.attr}", named_by)


def repo_of_name(name: str, known: Iterable[type[MetaRepo]]) -> type[MetaRepo]:
    """Return the meta-repository of a name, which may be that of its class, in any case.

    Raises:
        UsageError: no meta-repository has the name.
    """
    by_name = {repo.__name__.lower(): repo for repo in known} | {repo.name: repo for repo in known}
    found = by_name.get(name.lower())
    if found is None:
        near = did_you_mean(name, by_name) or f"; {_right_form(name)}"
        raise UsageError(f"--repo {name}: no meta-repository of the catalogue has this name{near}")
    return found


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
    if not (module_name and colon and class_name) or not _is_dotted_name(module_name):
        raise UsageError(f"{named_by}: {_right_form(spec)}")
    found: Any = getattr(_import(named_by, module_name), class_name, None)
    if not _is_repo(found):
        module = sys.modules[module_name]
        raise UsageError(f"{named_by}: {_problem_of(module, class_name, found)}")
    return found


def _right_form(spec: str) -> str:
    """Return the right form of a file, or of a module without a class."""
    written, _, class_name = spec.partition(":")
    if "/" in written or written.endswith(".py"):
        return _module_of(Path(written.removesuffix(".py")), class_name or "CLASS")
    module, _, name = spec.rpartition(".")
    if _is_dotted_name(spec):
        example = f"{module}:{name}" if module and name[0].isupper() else f"{spec}:CLASS"
    else:
        example = "acme.atlas:Atlas"
    return f"write it as MODULE:CLASS, for example {example}"


def _module_of(path: Path, class_name: str) -> str:
    """Return the right form of a file, given without its extension."""
    form = "write the module in place of the file: --repo"
    module = ".".join(path.parts)
    if _is_dotted_name(module):
        return f"{form} {module}:{class_name}"
    return f"{form} {path.name}:{class_name} in the folder {path.parent}, or with PYTHONPATH"


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _import(named_by: str, name: str) -> Any:
    _make_importable(Path())
    try:
        with redirect_stdout(
            sys.stderr
        ):  # the output of the import is not the output of the command
            return importlib.import_module(name)
    except DeclarationError as error:
        raise DeclarationError(_place(error) + error.where, error.problem, error.fix) from error
    except (Exception, SystemExit) as error:  # a module of the user may raise anything
        problem = f"{_place(error)}{_message(error)}{_hint(name, error)}"
        raise UsageError(f"{named_by}: cannot import {name}: {problem}") from error


def _place(error: BaseException) -> str:
    """Return "file:line: " of the last line of the user in a traceback; empty without one."""
    lines = [(frame.filename, frame.lineno) for frame in _frames(error)]
    if isinstance(error, SyntaxError) and error.filename:
        lines.append((error.filename, error.lineno))
    of_user = [line for line in lines if not line[0].startswith(_LIBRARIES)] or lines
    return f"{_short(of_user[-1][0])}:{of_user[-1][1]}: " if of_user else ""


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    """Yield the frames of a traceback, except frames of otel_meta and of the import itself."""
    for frame in traceback.extract_tb(error.__traceback__):
        if not frame.filename.startswith(("<", _OWN_FOLDER, _IMPORTLIB)):
            yield frame


def _message(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else error
    return " ".join(f"{type(error).__name__}: {text}".split())


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _hint(name: str, error: BaseException) -> str:
    """Return the cure for a module that is not found."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is None:
        return ""
    if not f"{name}.".startswith(f"{missing}."):
        return f"; install {missing} in the environment of otel-meta"
    near = did_you_mean(missing, (path.stem for path in Path().glob("*") if _is_module(path)))
    return f"; run otel-meta in the folder of {missing}, or add the folder to PYTHONPATH{near}"


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or path.is_dir()


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
    near = nearest_name(wanted, names)
    return f"did you mean {near}?" if near else f"it has {', '.join(names)}"
