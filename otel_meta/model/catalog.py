"""Everything that is declared, as a value: meta-repositories, and what is wrong between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .instrument import Instrument
from .repo import MetaRepo

_Claim = tuple[str, Any, str]
"""A name, the declaration that bears it, and who declares it."""


@dataclass(frozen=True)
class Problem:
    """Something in a catalogue that cannot hold, and the cure."""

    where: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.fix}"


@dataclass(frozen=True)
class Catalog:
    """Meta-repositories that are rendered, checked and shown together.

    A value, never a registry: importing a module adds nothing to it.
    """

    repos: tuple[type[MetaRepo], ...] = ()

    def __iter__(self) -> Iterator[type[MetaRepo]]:
        return iter(self.repos)

    def __repr__(self) -> str:
        return f"Catalog({', '.join(repo.__name__ for repo in self.repos)})"

    def __len__(self) -> int:
        return len(self.repos)

    def with_repos(self, *repos: type[MetaRepo]) -> Catalog:
        """The same catalogue and more; what it already holds is not added twice."""
        return Catalog(tuple(dict.fromkeys((*self.repos, *repos))))

    def instruments(self) -> Iterator[tuple[type[MetaRepo], Instrument[...]]]:
        """Every instrument with its repository; a shared one comes once for each."""
        for repo in self.repos:
            yield from ((repo, instrument) for instrument in repo.instruments.values())

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong between declarations that are each right by themselves."""
        return tuple(
            Problem(f"{what} {name!r}", f"is declared by {' and '.join(owners)}", "rename one")
            for what, claims in self._claims()
            for name, owners in _clashes(claims)
        )

    def _claims(self) -> Iterator[tuple[str, Iterable[_Claim]]]:
        """Names that have to be unique, by what they name."""
        yield "meta-repository", [(r.name, r, r.__qualname__) for r in self.repos]
        yield (
            "Prometheus series",
            [
                (sample, instrument, f"{instrument.name} of {repo.name}")
                for repo, instrument in self.instruments()
                for sample in {instrument.prometheus_family, *instrument.sample_names}
            ],
        )
        for what in ("slos", "recordings", "alerts"):
            yield (
                what.removesuffix("s"),
                [
                    (declared.name, declared, f"{repo.__name__}.{attribute}")
                    for repo in self.repos
                    for attribute, declared in getattr(repo, what).items()
                ],
            )


def _clashes(claims: Iterable[_Claim]) -> Iterator[tuple[str, list[str]]]:
    claimed: dict[str, dict[Any, str]] = defaultdict(dict)
    for name, declaration, owner in claims:
        claimed[name].setdefault(declaration, owner)
    yield from (
        (name, list(owners.values())) for name, owners in claimed.items() if len(owners) > 1
    )
