"""The live instruments of a meter provider, whichever library has set it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypedDict

from opentelemetry.metrics import Meter, MeterProvider, NoOpMeter

from otel_meta.model import Instrument, MetaRepo
from otel_meta.model.self_metrics import FAULTS
from otel_meta.runtime.fork import ForkSafeLock
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.family import Attributes, attributes_of
from otel_meta.runtime.recording.faults import Faults, logger
from otel_meta.runtime.recording.instrument_kinds import INSTRUMENT_KINDS
from otel_meta.runtime.recording.label_values import OnFault, ignore_fault
from otel_meta.runtime.recording.live_instruments import Recorder
from otel_meta.runtime.recording.memory import HeapAllocator

from .api_cells import (
    ApiCell,
    ApiCounterCell,
    ApiFamily,
    ApiGaugeCell,
    ApiHistogramCell,
    ApiSumCell,
    Beginning,
    Send,
)
from .api_globals import SCOPE_NAME

_NO_PROVIDER: Final = (
    "%s: measurements are dropped, because this process has no meter provider yet; set one with "
    "opentelemetry.metrics.set_meter_provider() or call otel_meta.configure(), or set a "
    "NoOpMeterProvider if nothing is to be recorded"
)


@dataclass(frozen=True, kw_only=True)
class ApiKind:
    """One kind of instrument.

    Args:
        cell: the class of a series.
        create: creates the instrument of the API, and returns its recording method.
    """

    cell: type[ApiCell]
    create: Callable[[Meter, Instrument[...]], Send]


class _KindTable(TypedDict):
    counter: ApiKind
    histogram: ApiKind
    gauge: ApiKind
    updowncounter: ApiKind


API_KINDS: Final[_KindTable] = {
    "counter": ApiKind(
        cell=ApiCounterCell,
        create=lambda meter, i: meter.create_counter(i.name, i.unit, i.description).add,
    ),
    "histogram": ApiKind(
        cell=ApiHistogramCell,
        create=lambda meter, i: (
            meter.create_histogram(
                i.name, i.unit, i.description, explicit_bucket_boundaries_advisory=i.buckets
            ).record
        ),
    ),
    "gauge": ApiKind(
        cell=ApiGaugeCell,
        create=lambda meter, i: meter.create_gauge(i.name, i.unit, i.description).set,
    ),
    "updowncounter": ApiKind(
        cell=ApiSumCell,
        create=lambda meter, i: meter.create_up_down_counter(i.name, i.unit, i.description).add,
    ),
}
"""The row of every kind. A type checker reports a kind that has no row."""


class ApiStorage:
    """Makes live instruments that record through a meter.

    Args:
        provider: the meter provider; None if the process has none yet.
    """

    def __init__(self, provider: MeterProvider | None) -> None:
        self._meter: Final = None if provider is None else _meter_of(provider)
        self._recorders: Final[dict[Instrument[...], Recorder[Any]]] = {}
        self._lock: Final = ForkSafeLock()
        self.faults: Final = Faults(family=self._family(FAULTS, ignore_fault))
        """Counted in ``otel_meta_faults_total`` of the provider."""

    def recorder(self, instrument: Instrument[...]) -> Any:
        """Return the live instrument of a declaration, the same for every call."""
        with self._lock:
            made = self._recorders.get(instrument)
            if made is None:
                made = self._recorders[instrument] = self._create(instrument)
            return made

    def begin(self, repo: type[MetaRepo]) -> None:
        """Create the instruments of a meta-repository, and the series that begin at zero."""
        for instrument in repo.instruments.values():
            self.recorder(instrument).begin()

    def _create(self, instrument: Instrument[...]) -> Recorder[Any]:
        on_fault = partial(self.faults.report, instrument.prometheus_name)
        family = self._family(instrument, on_fault)
        return INSTRUMENT_KINDS[instrument.kind].recorder(family, self.faults)

    def _family(self, instrument: Instrument[...], on_fault: OnFault) -> ApiFamily:
        kind = API_KINDS[instrument.kind]
        send = self._sender(kind, instrument, on_fault)

        def make_cell(values: tuple[str, ...]) -> ApiCell:
            attributes = attributes_of(instrument.label_fields, values)
            return kind.cell(values, attributes, send, on_fault)

        allocator = HeapAllocator() if self._meter is None else Beginning()
        return ApiFamily(instrument, make_cell, allocator=allocator, on_fault=on_fault)

    def _sender(self, kind: ApiKind, instrument: Instrument[...], on_fault: OnFault) -> Send:
        """Return the recording method of the instrument of the API."""
        if self._meter is None:
            return partial(_DROP, instrument.name)
        try:
            return kind.create(self._meter, instrument)
        except Exception as error:
            reraise_interruption(error)
            on_fault("api", f"the meter provider cannot create it: {error!r}")
            return kind.create(NoOpMeter(SCOPE_NAME), instrument)


def _meter_of(provider: MeterProvider) -> Meter:
    try:
        return provider.get_meter(SCOPE_NAME)
    except Exception as error:
        reraise_interruption(error)
        logger.warning("measurements are dropped: the meter provider raised %r", error)
        return NoOpMeter(SCOPE_NAME)


class _Drop:
    """Drops measurements, and says so at the first in the process."""

    def __init__(self) -> None:
        self._is_said = False

    def __call__(self, name: str, _number: float, _attributes: Attributes) -> None:
        if not self._is_said:
            self._is_said = True
            logger.warning(_NO_PROVIDER, name)


_DROP: Final = _Drop()
