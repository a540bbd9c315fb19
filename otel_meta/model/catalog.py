"""Catalogs: meta-repositories as a value, with a check for duplicate names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .instrument import Instrument
from .repo import MetaRepo

_Named = tuple[str, Any, str]
"""A name, the declaration with this name, and the owner shown in errors."""


@dataclass(frozen=True)
class Problem:
    """A conflict between declarations, with its fix."""

    where: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.fix}"


@dataclass(frozen=True)
class Catalog:
    """Meta-repositories that are rendered, checked and shown together.

    Importing a module adds nothing to a catalog: it is a value and not a registry.
    """

    repos: tuple[type[MetaRepo], ...] = ()

    def __iter__(self) -> Iterator[type[MetaRepo]]:
        return iter(self.repos)

    def __repr__(self) -> str:
        return f"Catalog({', '.join(repo.__name__ for repo in self.repos)})"

    def __len__(self) -> int:
        return len(self.repos)

    def with_repos(self, *repos: type[MetaRepo]) -> Catalog:
        """Return a catalog with more meta-repositories, each of them once."""
        return Catalog(tuple(dict.fromkeys((*self.repos, *repos))))

    def instruments(self) -> Iterator[tuple[type[MetaRepo], Instrument[...]]]:
        """Yield each instrument with its meta-repository; a shared instrument once for each."""
        for repo in self.repos:
            yield from ((repo, instrument) for instrument in repo.instruments.values())

    def problems(self) -> tuple[Problem, ...]:
        """Return the conflicts between declarations: names that are declared more than once."""
        return tuple(
            Problem(f"{kind} {name!r}", f"is declared by {' and '.join(owners)}", "rename one")
            for kind, named in self._names()
            for name, owners in _duplicates(named)
        )

    def _names(self) -> Iterator[tuple[str, Iterable[_Named]]]:
        """Yield each kind of declaration with all names, to be checked for duplicates."""
        yield "meta-repository", [(r.name, r, r.__qualname__) for r in self.repos]
        yield (
            "Prometheus series",
            [
                (sample, instrument, f"{instrument.name} of {repo.name}")
                for repo, instrument in self.instruments()
                for sample in {instrument.prometheus_family, *instrument.sample_names}
            ],
        )
        for kind in ("slos", "recordings", "alerts"):
            yield (
                kind.removesuffix("s"),
                [
                    (declared.name, declared, f"{repo.__name__}.{attribute}")
                    for repo in self.repos
                    for attribute, declared in getattr(repo, kind).items()
                ],
            )


def _duplicates(named: Iterable[_Named]) -> Iterator[tuple[str, list[str]]]:
    """Yield each name of several declarations, with their owners."""
    by_name: dict[str, dict[Any, str]] = defaultdict(dict)
    for name, declaration, owner in named:
        by_name[name].setdefault(declaration, owner)
    yield from (
        (name, list(owners.values())) for name, owners in by_name.items() if len(owners) > 1
    )
