"""A synthetic fleet: services, raw series, and series recorded by rules.

The values resemble real ones: counters climb unevenly, and one service in fifty fails. The data
depends on the number of services only, so every run reads the same data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from otel_meta.model import Histogram, Instrument, MetaRepo, Slo
from otel_meta.model.selector import Selector
from otel_meta.model.slo.event_terms import EventCount
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names as series
from otel_meta.repos import BUILTIN

from .labels import Labels, label_sets

BURNING_EVERY: Final = 50
_BURNING: Final = 7
_DAY: Final = 86_400
_MEMORY: Final = 7 * _DAY
"""Seconds beyond the period of an SLO for which rules read cumulative counts."""
_LOOKBACK: Final = {series.TOTAL: 7 * _DAY, series.COMPLIANT: _DAY}
"""Seconds for which rules read other recorded series."""


class Values(NamedTuple):
    """A sequence of values: a start, a step, and the size of deviations."""

    start: float
    step: float = 0.0
    noise: float = 0.0
    digits: int = 3

    def at(self, position: int) -> float:
        """Return the value at a position."""
        uneven = (position * 7919 % 997) / 997  # a walk through all residues, without randomness
        return self.start + self.step * position + round(self.noise * uneven, self.digits)


class Series(NamedTuple):
    """One series: name and labels in OpenMetrics, and values."""

    head: str
    values: Values
    seconds: int = 0
    """Seconds of history that rules read; 0 if the caller decides."""


@dataclass(frozen=True)
class Service:
    """A service of a meta-repository, with a single process."""

    repo: type[MetaRepo]
    number: int

    @property
    def identity(self) -> Labels:
        """The labels of all series of the service."""
        return {"service_namespace": self.repo.name, "service_name": f"service-{self.number:05}"}

    @property
    def burns(self) -> bool:
        """True if the service fails."""
        return self.number % BURNING_EVERY == _BURNING


def services(count: int) -> list[Service]:
    """Return a number of services, spread evenly over the meta-repositories."""
    repos = tuple(BUILTIN)
    return [Service(repos[n % len(repos)], n) for n in range(count)]


def recorded(service: Service) -> Iterator[Series]:
    """Yield the recorded series of a service that other rules read."""
    for slo in service.repo.slos.values():
        labels = {"slo": slo.name, **service.identity}
        for name, seconds in _lookbacks(slo):
            yield Series(_head(name, labels), _recorded_values(service, name), seconds)
    yield Series(_head(series.PROCESSES, service.identity), Values(1), _DAY // 4)


def raw(service: Service) -> Iterator[Series]:
    """Yield the exposed series of a service, as far as rules read them."""
    yield from _exposed(service, _read_names())


def exposed(service: Service) -> Iterator[Series]:
    """Yield all series of the instruments of a service."""
    instruments = service.repo.instruments.values()
    yield from _exposed(service, frozenset(n for i in instruments for n in i.sample_names))


def _exposed(service: Service, names: frozenset[str]) -> Iterator[Series]:
    for instrument in service.repo.instruments.values():
        wanted = names.intersection(instrument.sample_names)
        for labels in label_sets(instrument) if wanted else ():
            yield from _samples(service, instrument, labels, wanted)
    yield Series(_head(series.UP, service.identity), Values(1))


def _lookbacks(slo: Slo) -> Iterator[tuple[str, int]]:
    yield from _LOOKBACK.items()
    for cumulative in (series.TOTAL_CUMULATIVE, series.BAD_CUMULATIVE):
        yield cumulative, slo.period.seconds + _MEMORY


def _recorded_values(service: Service, name: str) -> Values:
    if name == series.COMPLIANT:
        return Values(0 if service.burns else 1)
    if name == series.TOTAL:
        return Values(20_000, noise=500)
    if name == series.TOTAL_CUMULATIVE:
        return Values(0, 4_000, 2_000, digits=0)
    return Values(0, 400) if service.burns else Values(0, 1)


@cache
def _read_names() -> frozenset[str]:
    """Return all names in rules; ``_sum`` and some instruments are not among them."""
    expressions = (
        rule.expr
        for file in rule_files(BUILTIN, Options())
        for group in file.groups
        for rule in group.rules
    )
    return frozenset(name for e in expressions for name in re.findall(r"[a-zA-Z_:][\w:]*", e))


def _samples(
    service: Service, instrument: Instrument[...], labels: Labels, names: frozenset[str]
) -> Iterator[Series]:
    rate = _rate(service, instrument, labels)
    carried = {**{k: v for k, v in labels.items() if v}, **service.identity}
    for name in sorted(names):
        if isinstance(instrument, Histogram) and name.endswith("_bucket"):
            yield from _buckets(name, carried, instrument.buckets, rate)
        else:
            yield Series(_head(name, carried), _raw_values(instrument, labels, rate))


def _buckets(name: str, labels: Labels, bounds: Sequence[float], rate: float) -> Iterator[Series]:
    """Yield buckets with all values below the fourth bound, which is below the bounds of SLOs."""
    for at, bound in enumerate([*map(str, bounds), "+Inf"]):
        share = min(at + 1, 4) / 4
        yield Series(_head(name, {**labels, "le": bound}), _counter(rate * share))


def _raw_values(instrument: Instrument[...], labels: Labels, rate: float) -> Values:
    if instrument.traits.counts_events:
        return _counter(rate)
    good = labels.get("state") in (None, "closed") and "severity" not in labels
    return Values(1 if good else 0)


def _counter(rate: float) -> Values:
    return Values(1_000 * rate, rate, rate / 2, digits=0)


def _rate(service: Service, instrument: Instrument[...], labels: Labels) -> float:
    """Return the events between two scrapes: many good ones, and bad ones for failing services."""
    bad = any(
        _holds(term.selector, instrument, labels)
        for slo in service.repo.slos.values()
        for part in slo.sli.parts
        if isinstance(term := part.bad_events, EventCount)
    )
    return (5.0 if service.burns else 0.0) if bad else 100.0


def _holds(part: Selector, instrument: Instrument[...], labels: Labels) -> bool:
    return part.instrument is instrument and part.predicate()(tuple(labels.values()))


def _head(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{inside}}}"
