"""The status of every SLO of every service, from the recordings of one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from otel_meta.errors import BackendError
from otel_meta.model import Catalog, Duration, Slo
from otel_meta.model.identity import NAMESPACE
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.status.events import Events
from otel_meta.status.status import NO_EVENTS, Burn, BurnDownPoint, Status

from .prometheus_api import PrometheusApi
from .recordings import EXCLUDED, Recordings, last_seen, lookbacks, read
from .slo_keys import Asked, SloKey

_STALE: Final = 300
"""Seconds without an evaluation after which recordings say nothing about the present."""
_LISTED: Final = 10
_DEFAULT: Final = Options()


class FleetAnswer(NamedTuple):
    """The statuses, and what else a person should know of the server."""

    statuses: tuple[Status, ...]
    notes: tuple[str, ...]
    """Sentences: SLOs that the catalogue does not declare, or that no service has."""


class Fleet:
    """The services of a Prometheus, Thanos, Mimir or VictoriaMetrics with the generated rules."""

    def __init__(
        self,
        api: PrometheusApi,
        options: Options = _DEFAULT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Remember the server.

        Args:
            api: the server.
            options: the choices with which the rules were generated; the labels of a service.
            clock: the time of the answer, in seconds since 1970.
        """
        self._api: Final = api
        self._options: Final = options
        self._clock: Final = clock

    def statuses(
        self,
        catalog: Catalog,
        slos: Iterable[str] = (),
        services: Mapping[str, str] = {},
    ) -> tuple[Status, ...]:
        """Return the status of each SLO of each service, as `answer` does."""
        return self.answer(catalog, slos, services).statuses

    def answer(
        self,
        catalog: Catalog,
        slos: Iterable[str] = (),
        services: Mapping[str, str] = {},
    ) -> FleetAnswer:
        """Return the status of each SLO of each service, and notes.

        An SLO that a service had in the last week, but has no more, has no data; so has an SLO
        that is named and that no service has.

        Args:
            catalog: the declarations.
            slos: names of SLOs; empty means all SLOs.
            services: labels of the services, such as service_name; empty means all services.

        Raises:
            BackendError: the server cannot be asked, or has no recordings of the catalogue.
            UsageError: there is no such SLO or label.
        """
        asked = Asked(catalog, slos, services, self._options)
        at = int(self._clock())
        seen = last_seen(self._api, at, asked.identity)
        names = {sample.labels.get(series_names.SLO, "") for sample in seen}
        self._refuse_other_recordings(names, asked)
        found: dict[SloKey, float] = {}
        for sample in seen:
            if key := asked.key(sample.labels):
                found[key] = max(sample.value, found.get(key, 0.0))
        recorded = read(self._api, asked, at)
        rows = [_status(asked, key, recorded, at, age=at - last) for key, last in found.items()]
        rows += _missing(asked, found)
        return FleetAnswer(tuple(rows), tuple(_notes(asked, names, found, at)))

    def _refuse_other_recordings(self, names: set[str], asked: Asked) -> None:
        """Refuse a server without recordings of the catalogue's SLOs."""
        if not names:
            raise BackendError(
                f"{self._api.url}: has none of the recordings slo:* of the last week; write the "
                "rules with `otel-meta generate`, and load the folder rules/ into the server that "
                "evaluates rules"
            )
        if not any(map(asked.is_known, names)):
            raise BackendError(
                f"{self._api.url}: has recordings of other SLOs alone ({_list(names)}); name their "
                "meta-repositories"
            )


def _status(asked: Asked, key: SloKey, recorded: Recordings, at: int, *, age: float) -> Status:
    repo, slo = asked.declared[key.slo]
    has_data = age <= _STALE and recorded.value(series_names.COMPLIANT, key) is not None
    excluded = Events(*(recorded.value(name, key) or 0.0 for name in EXCLUDED))
    events = _events(key, recorded, excluded) if has_data else NO_EVENTS
    coverage = recorded.value(series_names.COVERAGE, key) or 0.0
    return Status(
        slo=slo,
        repo=repo.name,
        owner=repo.owner,
        service=asked.service(key),
        events=events,
        excluded=excluded if has_data else NO_EVENTS,
        burns={span: _burn(slo, span, key, recorded) for span in lookbacks(slo)},
        covered=coverage * slo.period.seconds,
        burn_down=tuple(_burn_down(slo, key, recorded, events, at)),
        firing=recorded.firing.get(key, ()),
    )


def _events(key: SloKey, recorded: Recordings, excluded: Events) -> Events:
    bad = recorded.over_period(series_names.BAD_CUMULATIVE, key) - excluded.bad
    total = recorded.over_period(series_names.TOTAL_CUMULATIVE, key) - excluded.total
    return Events(max(bad, 0.0), max(total, 0.0))


def _burn(slo: Slo, span: Duration, key: SloKey, recorded: Recordings) -> Burn:
    ratio = recorded.value(series_names.error_ratio(span), key)
    rate = None if ratio is None else ratio / float(slo.objective.budget)
    return Burn(rate, recorded.value(series_names.bad(span), key))


def _burn_down(
    slo: Slo, key: SloKey, recorded: Recordings, events: Events, at: int
) -> Iterator[BurnDownPoint]:
    """Yield the course of the budget; excluded events are those at the end."""
    allowed = float(slo.objective.budget) * events.total
    if allowed <= 0:
        return
    before = recorded.before[series_names.BAD_CUMULATIVE].get(key, 0.0)
    for moment, count in sorted(recorded.bad.get(key, {}).items()):
        bad = min(max(count - before, 0.0), events.bad)
        yield BurnDownPoint(at - moment, 1 - bad / allowed)


def _missing(asked: Asked, found: Mapping[SloKey, float]) -> Iterator[Status]:
    """Yield a status without data for each named SLO that no service has."""
    for name in {*asked.named} - {key.slo for key in found}:
        repo, slo = asked.declared[name]
        yield Status(
            slo=slo,
            repo=repo.name,
            owner=repo.owner,
            service={NAMESPACE: repo.name, **asked.services},
            events=NO_EVENTS,
            burns={},
            covered=0.0,
        )


def _notes(asked: Asked, names: set[str], found: Mapping[SloKey, float], at: int) -> Iterator[str]:
    if unknown := {name for name in names if not asked.is_known(name)}:
        yield f"The catalogue does not declare these SLOs of the server: {_list(unknown)}."
    if absent := asked.declared.keys() - {key.slo for key in found}:
        yield f"No service has these SLOs in the last week: {_list(absent)}."
    youngest = max(found.values(), default=at)
    if at - youngest > _STALE:
        minutes = (at - youngest) / 60
        yield (
            f"No rule was evaluated for {minutes:.0f} minutes, so that no SLO has data: look at "
            "the server that evaluates rules."
        )


def _list(names: Iterable[str]) -> str:
    """Return names in order, all of them up to a few more than can be read."""
    first, *others = sorted(names)
    shown = [first, *others[: _LISTED - 1]]
    more = 1 + len(others) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
