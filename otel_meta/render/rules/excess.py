"""Excess bad events in PromQL: the label values that fail more often than the whole service.

The excess of a label value is ``bad - ratio * total``: its bad events, less the bad events that
it would have at the share of bad events of the whole service. A value with many bad events has no
excess if it has as large a part of all events. The share that a value explains is its excess among
its excess and the bad events of all other values: the part of the bad events that would not have
occurred if the value had failed as rarely as the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.model.labels import Label
from otel_meta.model.slo.combined import Combined
from otel_meta.model.slo.event_terms import BadEvents, EventCount, TimeSlices
from otel_meta.model.slo.sli import SimpleSli, Sli
from otel_meta.render.options import Options

from .sli_promql import Increments, Scope, increments

INSTANCE: Final = "instance"
"""The label of a process."""
_KINDS_BY_CONVENTION: Final = re.compile("error_type|(.+_)?status_code")
"""Labels of the semantic conventions that say how an event ended."""
_LINE: Final = re.compile(r"\n\s*")


def cause_labels(repo: type[MetaRepo], slo: Slo) -> tuple[str, ...]:
    """Return the declared labels of an SLO's events that may tell where events fail."""
    kinds = set(failure_labels(repo, slo))
    names = (name for part in slo.sli.parts for name in _common_labels(part))
    return tuple(name for name in dict.fromkeys(names) if name not in kinds)


def failure_labels(repo: type[MetaRepo], slo: Slo) -> tuple[str, ...]:
    """Return the declared labels that say how an event fails: no value of them is a cause.

    These are the labels by which an SLI of the meta-repository tells its bad events from all
    events, labels that bad events alone have, and status codes and types of errors.
    """
    chosen = {name for each in repo.slos.values() for name in _telling_bad_events(each.sli)}
    names = (label.name for part in slo.sli.parts for label in _fields(part.bad_events))
    kinds = chosen.union(_only_of_bad_events(slo.sli))
    return tuple(
        name
        for name in dict.fromkeys(names)
        if name in kinds or _KINDS_BY_CONVENTION.fullmatch(name)
    )


@dataclass(frozen=True, kw_only=True)
class Excess:
    """The queries about the parts of an SLO's events.

    Args:
        repo: the meta-repository of the SLO.
        slo: the SLO.
        span: the time in which events are counted.
        options: the version of Prometheus.
        where: matchers of the service.
    """

    repo: type[MetaRepo]
    slo: Slo
    span: Duration
    options: Options
    where: tuple[str, ...] = ()

    def counts(self, labels: Iterable[str], *where: str) -> Increments:
        """Return the expressions of the bad and of all events by some labels.

        Args:
            labels: the labels to add up by.
            where: more matchers.
        """
        return self._counts(self.slo.sli.parts, labels, where)

    def ratio(self) -> str:
        """Return the expression of the share of bad events."""
        bad, total = self.counts(())
        return f"{bad} / ({total})"

    def of_values(self, labels: Iterable[str], ratio: str) -> str:
        """Return the expression of the excess of every value of some labels.

        Each series of the result has one label.

        Args:
            labels: the labels; values that are empty have no excess.
            ratio: the share of bad events of the service, or what stands for it.
        """
        return " or ".join(f"({self._of_label(label, ratio)})" for label in labels)

    def share(self, excess: str, *elsewhere: str) -> str:
        """Return the expression of the share of bad events that a value explains.

        Args:
            excess: the excess of the value.
            elsewhere: the matchers of all other values.
        """
        bad, _ = self.counts((), *elsewhere)
        return f"{excess} / ({excess} + ({bad} or vector(0)))"

    def _of_label(self, label: str, ratio: str) -> str:
        bad, total = self._counts(self._parts_with(label), (label,), (f'{label}!=""',))
        return f"{bad} - {ratio} * {total}"

    def _parts_with(self, label: str) -> tuple[SimpleSli, ...]:
        """Return the parts that declare a label; all parts for a label that scraping adds."""
        parts = self.slo.sli.parts
        return tuple(part for part in parts if label in _common_labels(part)) or parts

    def _counts(
        self, parts: Iterable[SimpleSli], labels: Iterable[str], where: tuple[str, ...]
    ) -> Increments:
        scope = Scope(
            self.repo.name,
            self.span,
            self.options,
            tuple(labels),
            (*self.where, *where),
            sparse=True,
        )
        counted = increments(_together([_OfEachSeries(part) for part in parts]), scope)
        return Increments(*(_LINE.sub(" ", expression) for expression in counted))


@dataclass(frozen=True)
class _OfEachSeries(SimpleSli):
    """An indicator whose time slices are those of each series, so that the parts add up."""

    part: SimpleSli

    @property
    def total_events(self) -> EventCount | TimeSlices:
        total = self.part.total_events
        return replace(total, series="each") if isinstance(total, TimeSlices) else total

    @property
    def bad_events(self) -> BadEvents:
        bad = self.part.bad_events
        return replace(bad, series="each") if isinstance(bad, TimeSlices) else bad


def _fields(events: BadEvents) -> tuple[Label, ...]:
    return events.selector.instrument.label_fields


def _together(parts: list[_OfEachSeries]) -> Sli:
    return parts[0] if len(parts) == 1 else Combined(*parts)


def _common_labels(part: SimpleSli) -> Iterator[str]:
    """Yield the labels that the bad events and all events have, unless they have one value."""
    total = part.total_events.selector
    fixed = {m.label for m in total.matchers if isinstance(m.values, tuple) and len(m.values) == 1}
    bad = {label.name for label in _fields(part.bad_events)}
    names = (label.name for label in total.instrument.label_fields)
    yield from (name for name in names if name in bad and name not in fixed)


def _telling_bad_events(sli: Sli) -> Iterator[str]:
    for part in sli.parts:
        of_total = set(part.total_events.selector.matchers)
        matchers = part.bad_events.selector.matchers
        yield from (matcher.label for matcher in matchers if matcher not in of_total)


def _only_of_bad_events(sli: Sli) -> Iterator[str]:
    for part in sli.parts:
        total = {label.name for label in part.total_events.selector.instrument.label_fields}
        yield from (label.name for label in _fields(part.bad_events) if label.name not in total)
