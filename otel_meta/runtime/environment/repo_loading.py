"""The meta-repository that a variable names, imported on request."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final, TypeGuard

from otel_meta.model import MetaRepo

_BUILTIN: Final = "otel_meta.repos"
"""A module and an entry-point group. Only a variable can ask for it: services import their own."""


class UnknownRepoError(LookupError):
    """There is no such meta-repository; the message has the fix."""


def load_named_repo(spec: str) -> type[MetaRepo]:
    """Import a meta-repository.

    Args:
        spec: module and class, as in ``acme.atlas:Atlas``; or the name or class of a built-in
            meta-repository, or of an installed one in the entry-point group ``otel_meta.repos``.

    Raises:
        UnknownRepoError: the module cannot be imported, or has no such meta-repository.
    """
    module, colon, name = spec.partition(":")
    try:
        found = getattr(import_module(module), name, None) if colon else _installed(spec)
    except (Exception, SystemExit) as error:  # a module of the user may raise anything
        raise UnknownRepoError(f"cannot be imported: {type(error).__name__}: {error}") from error
    if _is_repo(found):
        return found
    raise UnknownRepoError(_problem(spec, colon))


def _installed(name: str) -> Any:
    named = dict(_names())
    return named.get(name) or named.get(name.lower())


def _names() -> Iterator[tuple[str, type[MetaRepo]]]:
    entries = (entry.load() for entry in entry_points(group=_BUILTIN))
    for repo in (*vars(import_module(_BUILTIN)).values(), *entries):
        if _is_repo(repo):
            yield from ((repo.name, repo), (repo.__name__.lower(), repo))


def _is_repo(found: Any) -> TypeGuard[type[MetaRepo]]:
    return isinstance(found, type) and issubclass(found, MetaRepo) and found is not MetaRepo


def _problem(spec: str, colon: str) -> str:
    if colon:
        return "is not a meta-repository; write it as MODULE:CLASS, as in acme.atlas:Atlas"
    names = [name for name, _ in _names()]
    near = get_close_matches(spec.lower(), names, n=1)
    cure = f"did you mean {near[0]}?" if near else f"choose from {', '.join(names)}"
    return f"is not a meta-repository; {cure} For another one, write MODULE:CLASS"
