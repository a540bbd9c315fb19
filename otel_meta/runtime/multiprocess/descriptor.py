"""A metric as some worker declares it, perhaps of another version of the catalogue than ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property, lru_cache
from typing import Any, Final

import orjson

from otel_meta.model import Counter, Gauge, Histogram, Instrument, UpDownCounter
from otel_meta.model.kind_traits import Kind
from otel_meta.model.kinds import MultiprocessMode
from otel_meta.model.labels import Attribute, Label, label_class_from
from otel_meta.runtime.recording.cardinality import MAX_SERIES, CardinalityLimit
from otel_meta.runtime.recording.instrument_kinds import INSTRUMENT_KINDS

WORKER: Final = "worker"
"""The label that gauges gain which are not merged: a small number, used again by later workers."""


@dataclass(frozen=True)
class Declared:
    """What a file says of a metric: enough to merge its series and to expose them."""

    name: str
    kind: Kind
    unit: str
    description: str
    labels: tuple[str, ...]
    keys: tuple[str, ...]
    """OpenTelemetry's names of the labels."""
    bounds: tuple[float, ...] = ()
    multiprocess_mode: MultiprocessMode = "mostrecent"
    limit: int = MAX_SERIES
    """How many series there may be before the rest share one."""

    @property
    def survives_worker(self) -> bool:
        """Whether what a worker recorded still holds once the worker is gone."""
        match INSTRUMENT_KINDS[self.kind].merge:
            case "sum":
                return True
            case "live_sum":
                return False
            case "multiprocess_mode":
                return self.multiprocess_mode == "mostrecent"

    @property
    def separate(self) -> bool:
        """Whether every worker has series of its own."""
        merge = INSTRUMENT_KINDS[self.kind].merge
        return merge == "multiprocess_mode" and self.multiprocess_mode == "all"

    @property
    def width(self) -> int:
        """How many numbers a series has; see `slots`."""
        return INSTRUMENT_KINDS[self.kind].cell.width(self.bounds)

    @cached_property
    def shape(self) -> tuple[object, ...]:
        """What has to be equal for numbers to be added as they are."""
        return (self.name, self.kind, self.unit, self.labels, self.bounds, self.multiprocess_mode)

    def is_compatible(self, other: Declared) -> bool:
        """Whether series of another declaration can be merged into those of this one."""
        return (self.name, self.kind, self.unit) == (other.name, other.kind, other.unit)

    def as_text(self) -> bytes:
        """For a file."""
        return orjson.dumps(asdict(self))


@lru_cache(maxsize=4096)
def declared(instrument: Instrument[...], max_series: int = MAX_SERIES) -> Declared:
    """What a file says of an instrument."""
    labels = instrument.label_fields
    return Declared(
        name=instrument.name,
        kind=instrument.kind,
        unit=instrument.unit,
        description=instrument.description,
        labels=tuple(field.name for field in labels),
        keys=tuple(field.attribute.key for field in labels),
        bounds=instrument.buckets,
        multiprocess_mode=instrument.multiprocess_mode
        if isinstance(instrument, Gauge)
        else "mostrecent",
        limit=CardinalityLimit(labels, instrument.max_series or max_series).limit,
    )


def from_text(said: Mapping[str, Any]) -> Declared:
    """What `Declared.as_text` wrote."""
    known: dict[str, Any] = {f.name: said[f.name] for f in fields(Declared) if f.name in said}
    lists: dict[str, Any] = {name: tuple(said[name]) for name in ("labels", "keys", "bounds")}
    return Declared(**{**known, **lists})


@lru_cache(maxsize=1024)
def instrument_of(of: Declared) -> Instrument[...]:
    """The same as an instrument, for whoever exposes it: one object as long as nothing changes.

    Raises:
        DeclarationError: this version of otel_meta allows no such metric.
    """
    pairs = list(zip(of.labels, of.keys, strict=True))
    if of.separate:
        pairs.append((WORKER, WORKER))
    labels = label_class_from(tuple(Label(name, None, None, Attribute(key)) for name, key in pairs))
    name, description, unit = of.name, of.description, of.unit
    match of.kind:
        case "counter":
            return Counter(name, description, labels, unit=unit)
        case "updowncounter":
            return UpDownCounter(name, description, labels, unit=unit)
        case "gauge":
            return Gauge(name, description, labels, unit=unit)
        case "histogram":
            return Histogram(name, description, labels, unit=unit, buckets=of.bounds)
