"""Catalogs: meta-repositories as a value, with a check for duplicate names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from otel_meta.errors import DeclarationError

from .arguments import expect_type
from .instrument import Instrument
from .repo import MetaRepo


class _Named(NamedTuple):
    """A name in the rules or in Prometheus."""

    name: str
    declaration: object
    owner: str
    """The owner shown in errors."""
    may_be_shared: bool = True
    """True if one declaration in two meta-repositories is no conflict."""


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

    def __post_init__(self) -> None:
        fix = "give a tuple of meta-repositories, such as Catalog((Atlas,))"
        expect_type("catalog", "repos", self.repos, tuple, fix)
        for repo in self.repos:
            if not _is_repo(repo):
                raise DeclarationError("catalog", f"has the meta-repository {repo!r}", fix)

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
        """Return the conflicts between declarations: names that are declared more than once.

        Instruments, recordings and alerts may be shared: each meta-repository has its own series.
        The alerts of an SLO select its name alone, so that a shared SLO would alert twice.
        """
        return tuple(
            Problem(f"{kind} {name!r}", f"is declared by {' and '.join(owners)}", fix)
            for kind, named in self._names()
            for name, owners, fix in _duplicates(named)
        ) + tuple(self._former_names())

    def _former_names(self) -> Iterator[Problem]:
        """Yield the former names of SLOs that other SLOs have, or had as well."""
        slos = [slo for repo in self.repos for slo in repo.slos.values()]
        taken = Counter(name for slo in slos for name in {slo.name, *slo.formerly})
        for slo in slos:
            yield from (
                Problem(
                    f"SLO {slo.name!r}",
                    f"was formerly {former!r}, the name of another SLO as well",
                    "leave the name in formerly of one SLO, and declare it no more",
                )
                for former in slo.formerly
                if taken[former] > 1
            )

    def _names(self) -> Iterator[tuple[str, Iterable[_Named]]]:
        """Yield each kind of declaration with all names, to be checked for duplicates."""
        yield "meta-repository", [_Named(r.name, r, r.__qualname__) for r in self.repos]
        yield (
            "Prometheus series",
            [
                _Named(sample, instrument, f"{instrument.name} of {repo.name}")
                for repo, instrument in self.instruments()
                for sample in {instrument.prometheus_family, *instrument.sample_names}
            ],
        )
        for kind in ("slos", "recordings", "alerts"):
            yield (
                kind.removesuffix("s"),
                [
                    _Named(declared.name, declared, f"{repo.__name__}.{attribute}", kind != "slos")
                    for repo in self.repos
                    for attribute, declared in getattr(repo, kind).items()
                ],
            )


def _is_repo(given: object) -> bool:
    return isinstance(given, type) and issubclass(given, MetaRepo)


def _duplicates(named: Iterable[_Named]) -> Iterator[tuple[str, list[str], str]]:
    """Yield each name of several declarations, with their owners and the fix."""
    by_name: dict[str, dict[object, _Named]] = defaultdict(dict)
    for each in named:
        key = id(each.declaration) if each.may_be_shared else each.owner
        by_name[each.name].setdefault(key, each)
    for name, found in by_name.items():
        if len(found) > 1:
            is_shared = len({id(each.declaration) for each in found.values()}) == 1
            owners = [each.owner for each in found.values()]
            yield name, owners, _fix_of_shared(owners[-1]) if is_shared else "rename one"


def _fix_of_shared(owner: str) -> str:
    repo, _, attribute = owner.rpartition(".")
    return (
        f"set {attribute} in {repo} to an Slo with another name, or to None, or choose one "
        "meta-repository with --only"
    )
