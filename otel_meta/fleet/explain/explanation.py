"""Why an error budget burns: since when, in which part, in which way, and in which traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from otel_meta.fleet.answers import Exemplar
from otel_meta.fleet.fleet_statuses import Fleet
from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.model import Catalog, Duration, MetaRepo, Slo
from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.render.options import Options
from otel_meta.render.rules.excess import cause_labels
from otel_meta.status.events import Events
from otel_meta.status.status import Status

from .bad_exemplars import bad_exemplars
from .burn_start import LONGEST, burn_start
from .causes import Cause, Part, causes
from .excess_counts import ExcessCounts

_BEFORE: Final = Duration("6h")
"""The span before the burn in which the usual share of bad events is counted."""
_MARGIN: Final = 600
"""Seconds between this span and the beginning of the burn."""
_CAUSES: Final = 5
_KINDS: Final = 3
_STATES: Final = ("breached", "at_risk", "ok", "no_data")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The explanation of a burn over a span."""

    status: Status
    also_burning: tuple[Status, ...]
    """The statuses of other services whose error budget of the SLO burns."""
    span: Duration
    events: Events
    """The events of the service in the span."""
    since: float | None
    """Seconds since 1970; None if the error budget does not burn."""
    causes: tuple[Cause, ...]
    """The parts with the most evidence, most first."""
    of_all_bad: Part
    """The values of declared labels that all bad events have, where no part is a cause."""
    kinds: Mapping[Part, float]
    """Bad events of the first cause, or without one of the service, by the way they fail."""
    exemplars: tuple[Exemplar, ...]
    """Bad events with traces, latest first, of the same part."""

    @property
    def part(self) -> Part:
        """The part that kinds and exemplars are about; the whole service if it is empty."""
        return self.causes[0].part if self.causes else ()


@dataclass(frozen=True, kw_only=True)
class Question:
    """The SLO, the service and the time that are asked about."""

    catalog: Catalog
    repo: type[MetaRepo]
    slo: Slo
    services: Mapping[str, str]
    """Labels of the service; the service that burns fastest is explained."""
    span: Duration
    at: float


def explain(api: PrometheusApi, options: Options, question: Question) -> Explanation:
    """Explain why an error budget burns.

    Raises:
        BackendError: the server cannot be asked, or has no recordings of the SLO.
        UsageError: a label is none of a service.
    """
    at, slo = question.at, question.slo
    fleet = Fleet(api, options, clock=lambda: at)
    found = fleet.statuses(question.catalog, [slo.name], question.services)
    status, *others = sorted(found, key=_urgency)
    counts = ExcessCounts(
        api=api, repo=question.repo, slo=slo, service=status.service, options=options
    )
    cells = counts.cells(question.span, at)
    since = burn_start(api, slo, counts.where, int(at))
    start = at - question.span.seconds if since is None else min(since, at - question.span.seconds)
    is_known = since is None or since > at - LONGEST
    before = counts.cells(_BEFORE, start - _MARGIN) if is_known else None
    likely = causes(cells, before)[:_CAUSES]
    part = likely[0].part if likely else ()
    return Explanation(
        status=status,
        also_burning=tuple(other for other in others if other.burning),
        span=question.span,
        events=cells.whole,
        since=since,
        causes=likely,
        of_all_bad=() if likely else cells.of_all_bad(cause_labels(question.repo, slo)),
        kinds=dict(_first(counts.kinds(part, question.span, at))),
        exemplars=bad_exemplars(counts, part, at - question.span.seconds, at),
    )


def _first(kinds: Mapping[Part, float]) -> Iterable[tuple[Part, float]]:
    return list(kinds.items())[:_KINDS]


def _urgency(status: Status) -> tuple[int, float]:
    """Return the sort key: burning services first, fastest first."""
    rate = status.burn_rate(BURN_RATE_SPAN) or 0.0
    return (0 if status.burning else 1 + _STATES.index(status.state), -rate)
