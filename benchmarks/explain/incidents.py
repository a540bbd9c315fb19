"""Made incidents of a service: skewed traffic over many labels, noise, and one injected cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from otel_meta.fleet.explain.causes import Cells, Part
from otel_meta.status.events import Events

LABELS: Final = ("route", "method", "tenant", "version", "zone", "instance")
STRENGTHS: Final = (0.05, 0.2, 0.5, 1.0)
"""Shares of the cause's events that fail."""
TRAFFIC: Final = (300, 3_000, 30_000, 300_000)
"""Events of the service in the span."""
WIDTHS: Final = (1, 2)
"""Labels of the cause: one value, or a pair."""
_USUAL: Final = 0.0003
"""Share of bad events without the incident, in the median route."""
_LIMIT, _LEAST_BAD = 0.0144, 3
"""The incident is one: a page of an objective of 99.9 % fires."""
_NEARLY_ALL: Final = 0.9
_BEFORE: Final = 6
"""Length of the time before the incident, in spans."""

Rng = np.random.Generator
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Incident:
    """The events of a span with an injected cause, and of the time before."""

    strength: float
    traffic: int
    cause: Part
    now: Cells
    before: Cells

    def is_found_in(self, part: Part) -> bool:
        """Return True if a part has the same events as the injected cause."""
        return self._cells(part) == self._cells(self.cause)

    @property
    def is_everything(self) -> bool:
        """Return True if the cause has nearly all events, so that no part is a cause."""
        return self.of_cause.total > _NEARLY_ALL * self.now.whole.total

    @property
    def of_cause(self) -> Events:
        """The events of the injected cause."""
        events = [self.now.events[cell] for cell in self._cells(self.cause)]
        return Events(sum(each.bad for each in events), sum(each.total for each in events))

    def _cells(self, part: Part) -> set[tuple[str, ...]]:
        at = [(LABELS.index(label), value) for label, value in part]
        return {cell for cell in self.now.events if all(cell[n] == value for n, value in at)}


def incidents(seed: int, number: int) -> Iterator[Incident]:
    """Yield so many incidents of each strength, traffic and width that burn an error budget."""
    rng = np.random.default_rng(seed)
    for strength in STRENGTHS:
        for traffic in TRAFFIC:
            for width in WIDTHS:
                made = (_incident(rng, strength, traffic, width) for _ in range(40 * number))
                burning = (each for each in made if _burns(each))
                yield from (each for each, _ in zip(burning, range(number), strict=False))


def failing_alike(seed: int, number: int) -> Iterator[tuple[Cells, Cells]]:
    """Yield so many incidents of each strength and traffic in which every part fails alike.

    The events before the incident follow those of the incident.
    """
    rng = np.random.default_rng(seed)
    for strength in STRENGTHS[:-1]:
        for traffic in TRAFFIC:
            for _ in range(number):
                cells = list(_service(rng))
                weights, noise = _weights(rng, cells), _noise(rng, cells)
                now = _happened(rng, cells, traffic, weights, np.maximum(strength, noise))
                yield now, _happened(rng, cells, _BEFORE * traffic, weights, noise)


def _burns(incident: Incident) -> bool:
    """Return True if the service pages, and more than half of its bad events are of the cause."""
    bad, total = incident.now.whole
    of_cause = incident.of_cause.bad
    if incident.is_everything:
        return False
    return bad > _LIMIT * total and of_cause >= _LEAST_BAD and of_cause > bad / 2


def _incident(rng: Rng, strength: float, traffic: int, width: int) -> Incident:
    cells = list(_service(rng))
    weights = _weights(rng, cells)
    noise = _noise(rng, cells)
    cause = _cause(rng, cells, width)
    at = [(LABELS.index(label), value) for label, value in cause]
    hit = np.array([all(cell[n] == value for n, value in at) for cell in cells])
    uneven = np.minimum(strength * rng.lognormal(0, 0.1, len(cells)), 1)
    failing = np.where(hit, np.maximum(uneven, noise), noise)
    now = _happened(rng, cells, traffic, weights, failing)
    before = _happened(rng, cells, _BEFORE * traffic, weights, noise)
    return Incident(strength, traffic, cause, now, before)


def _service(rng: Rng) -> Iterator[tuple[str, ...]]:
    """Yield the combinations that occur: a route has few methods, an instance one version."""
    routes, tenants, instances = rng.integers([4, 1, 2], [25, 6, 13])
    versions = [int(rng.integers(0, 2)) for _ in range(instances)]
    for route in range(routes):
        for method in rng.choice(("GET", "POST", "PUT"), rng.integers(1, 3), replace=False):
            for tenant in range(tenants):
                for instance in range(instances):
                    yield (
                        f"/r{route}",
                        str(method),
                        f"t{tenant}",
                        f"v{versions[instance]}",
                        f"z{instance % 3}",
                        f"i{instance}",
                    )


def _weights(rng: Rng, cells: list[tuple[str, ...]]) -> Floats:
    popularity = np.array([_popularity(cell) for cell in cells])
    weights: Floats = rng.lognormal(0, 0.5, len(cells)) * popularity
    return weights


def _popularity(cell: tuple[str, ...]) -> float:
    """Return the weight of a cell: routes and tenants are skewed, instances are not."""
    return 1 / (1 + int(cell[0][2:])) / (1 + int(cell[2][1:]))


def _noise(rng: Rng, cells: list[tuple[str, ...]]) -> Floats:
    """Return the usual share of bad events of each cell; one route always fails more."""
    routes = sorted({cell[0] for cell in cells})
    usual = dict(zip(routes, _USUAL * rng.lognormal(0, 1, len(routes)), strict=True))
    usual[str(rng.choice(routes))] = rng.uniform(0.005, 0.1)
    return np.array([min(usual[cell[0]], 0.5) for cell in cells])


def _cause(rng: Rng, cells: list[tuple[str, ...]], width: int) -> Part:
    """Return one or two values of a cell, so that they occur together."""
    cell = cells[rng.integers(len(cells))]
    chosen: list[int] = sorted(rng.choice(len(LABELS), width, replace=False).tolist())
    return tuple((LABELS[n], cell[n]) for n in chosen)


def _happened(
    rng: Rng, cells: list[tuple[str, ...]], traffic: int, weights: Floats, failing: Floats
) -> Cells:
    share = weights / np.sum(weights)
    total = rng.poisson(traffic * share)
    bad = rng.binomial(total, failing)
    found = zip(cells, bad, total, strict=True)
    return Cells(LABELS, {cell: Events(float(b), float(t)) for cell, b, t in found if t})
