"""The metrics of a whole service, as any of its workers sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from otel_meta.errors import DeclarationError
from otel_meta.model import Instrument
from otel_meta.model.self_metrics import SERIES, SERIES_LIMIT
from otel_meta.runtime.recording.cells import GaugeCell
from otel_meta.runtime.recording.family import Family
from otel_meta.runtime.recording.faults import OnFault

from .descriptor import Declared, declared
from .directory import fork_guard
from .merged_metric import MergedFamily
from .reader import Owner, Series, WorkerFile
from .scanner import DirectoryScanner, Look
from .shared_memory import SharedMemoryAllocator

_SOURCE: Final = "workers"
_OF_THE_VIEW: Final = (SERIES, SERIES_LIMIT)
"""They tell of a process, and here of the service."""


class View:
    """Every metric that a living worker declares, as the newest of them declares it.

    Args:
        own: the live instruments of this process.
        slots: where their numbers are.
        survey: looks at the workers' files.
        on_fault: is told of what was found wrong there.
        max_series: how many series a metric may have.
    """

    def __init__(
        self,
        own: Callable[[], Iterable[Family[Any]]],
        slots: SharedMemoryAllocator,
        survey: DirectoryScanner,
        on_fault: OnFault,
        max_series: int,
    ) -> None:
        self._own: Final = own
        self._slots: Final = slots
        self._survey: Final = survey
        self._on_fault: Final = on_fault
        self._max_series: Final = max_series
        self._look = Look(None, (), ())
        self._families: dict[Declared, MergedFamily] = {}
        self._shown: list[MergedFamily] = []
        self._asked: set[Declared] = set()
        self._sizes: Final = Family(SERIES, GaugeCell)
        self._limits: Final = Family(SERIES_LIMIT, GaugeCell)
        self._faults: list[tuple[str, object]] = []
        self._said: set[str] = set()

    def families(self) -> Iterator[MergedFamily | Family[Any]]:
        """The metrics of now, for a scrape; what this process declares is among them."""
        own = {declared(f.instrument, self._max_series): list(f.cells()) for f in self._declare()}
        self.refresh()
        shown = self._shown
        for family in shown:
            family.show_exemplars_of(own.get(family.of, ()))
            metric = (family.instrument.prometheus_name,)
            self._sizes.series(metric).set(sum(1 for _ in family.cells()))
            self._limits.series(metric).set(family.of.limit)
        yield from shown
        yield self._sizes
        yield self._limits

    def _declare(self) -> list[Family[Any]]:
        families = [f for f in self._own() if f.instrument not in _OF_THE_VIEW]
        try:
            self._slots.declare(family.instrument for family in families)
        except OSError as error:
            self._faults.append(("slot", error))
        return families

    def family(self, instrument: Instrument[...]) -> MergedFamily:
        """A metric as this process declares it, with the series that the last look found."""
        with fork_guard:
            of = declared(instrument, self._max_series)
            self._asked.add(of)
            known = self._families.get(of)
            if known is None:
                known = self._families[of] = self._put_together(of)
        return known

    def owners(self) -> list[Owner]:
        """The living workers, as the last look found them."""
        return [c.owner for c in self._look.living if c.owner is not None]

    def refresh(self) -> None:
        """Look which series there are. What they show is read at any time."""
        with fork_guard:
            try:
                look = self._survey.look()
            except Exception as error:
                self._faults.append(("look", error))
            else:
                self._use(look)
            faults = [*self._survey.faults(), *self._faults]
            self._faults = []
        for reason, detail in faults:  # whoever is told may record, and need the directory for it
            self._on_fault(_SOURCE, reason, detail)

    def _use(self, look: Look) -> None:
        if look.stamp == self._look.stamp:
            return
        self._look = look
        shown = _newest(look)
        wanted = {of: self._put_together(of) for of in (*shown, *self._asked) if self._allows(of)}
        self._families = wanted
        self._shown = [wanted[of] for of in shown if of in wanted]

    def _allows(self, of: Declared) -> bool:
        try:
            MergedFamily(of)
        except DeclarationError as error:  # of a newer otel_meta, which allows more
            self._say(of.name, error)
            return False
        return True

    def _put_together(self, of: Declared) -> MergedFamily:
        """A metric with its series of now."""
        family = self._families.get(of) or MergedFamily(of)
        sources = list(_sources(self._look, of.name))
        stamp = tuple((slot, contents.stamp, len(series)) for slot, contents, series in sources)
        if stamp != family.stamp:
            family.stamp = stamp
            found = [(slot, series) for slot, _, every in sources for series in every]
            fit = [(slot, series) for slot, series in found if of.is_compatible(series.of)]
            if len(fit) < len(found):
                self._say(of.name, "other workers or the dead have it of another kind or unit")
            family.put_together([f for f in fit if of.survives_worker or f[0] is not None])
        return family

    def _say(self, name: str, detail: object) -> None:
        if name not in self._said:
            self._said.add(name)
            self._faults.append(("other version", f"{name}: {detail}"))


def _sources(look: Look, name: str) -> Iterator[tuple[int | None, WorkerFile, list[Series]]]:
    """What each file has of a metric, with the slot of its worker, None for the dead."""
    for contents in (*([look.totals] if look.totals is not None else ()), *look.dead):
        outlive = [series for series in contents.series.get(name, ()) if series.of.survives_worker]
        if outlive:
            yield None, contents, outlive
    for contents in look.living:
        if name in contents.series:
            slot = contents.owner.slot if contents.owner is not None else 0
            yield slot, contents, contents.series[name]


def _newest(look: Look) -> list[Declared]:
    """Every metric that a living worker declares, as the one that started last declares it."""
    own = {instrument.name for instrument in _OF_THE_VIEW} | {""}
    every = (of for contents in look.living for of in contents.families)
    by_name = {of.name: of for of in every if of.name not in own}
    return list(by_name.values())
