"""Whose recording a series is: an SLO of the catalogue, and a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from otel_meta.errors import UsageError
from otel_meta.model import Catalog, MetaRepo, Slo
from otel_meta.model.arguments import did_you_mean
from otel_meta.model.identity import NAMESPACE
from otel_meta.render.options import Options
from otel_meta.render.rules.promql_builder import equals, one_of
from otel_meta.render.rules.series_names import SLO

Declared = tuple[type[MetaRepo], Slo]


class SloKey(NamedTuple):
    """An SLO of a service."""

    slo: str
    """Its present name."""
    service: tuple[str, ...]
    """The values of the labels of identity; empty for an absent label."""


class Asked:
    """The SLOs and services that are asked for."""

    def __init__(
        self, catalog: Catalog, slos: Iterable[str], services: Mapping[str, str], options: Options
    ) -> None:
        """Choose SLOs of a catalogue.

        Raises:
            UsageError: the catalogue has no such SLO, or a service has no such label.
        """
        self.identity: Final = options.identity.service
        self.services: Final = dict(services)
        for label in self.services.keys() - {*self.identity}:
            hint = did_you_mean(label, self.identity) or f"; use {', '.join(self.identity)}"
            raise UsageError(f"{label}: is no label of a service{hint}")
        every = {slo.name: (repo, slo) for repo in catalog for slo in repo.slos.values()}
        self.named: Final = tuple(dict.fromkeys(slos))
        for name in self.named:
            if name not in every:
                raise UsageError(f"SLO {name}: there is no such SLO{did_you_mean(name, every)}")
        self.declared: Final[Mapping[str, Declared]] = {
            name: every[name] for name in self.named or every
        }
        self._present: Final = {
            known: name for name, (_, slo) in every.items() for known in (name, *slo.formerly)
        }

    @property
    def matchers(self) -> tuple[str, ...]:
        """The matchers of the recordings that are asked for."""
        repos = tuple(dict.fromkeys(repo.name for repo, _ in self.declared.values()))
        known = [each for _, slo in self.declared.values() for each in (slo.name, *slo.formerly)]
        return (
            one_of(NAMESPACE, repos),
            *([one_of(SLO, known)] if self.named else []),
            *(equals(label, value) for label, value in self.services.items()),
        )

    def key(self, labels: Mapping[str, str]) -> SloKey | None:
        """Return whose recording a series is; None for an SLO or service not asked for."""
        name = self._present.get(labels.get(SLO, ""), "")
        is_asked = all(labels.get(label, "") == value for label, value in self.services.items())
        if name not in self.declared or not is_asked:
            return None
        return SloKey(name, tuple(labels.get(label, "") for label in self.identity))

    def is_known(self, slo: str) -> bool:
        """Return True if the catalogue declares an SLO, or its former name."""
        return slo in self._present

    def service(self, key: SloKey) -> dict[str, str]:
        """Return the labels of a service."""
        return {k: v for k, v in zip(self.identity, key.service, strict=True) if v}
