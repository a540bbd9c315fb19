"""The descriptor of a metric as declared by a worker, perhaps of another catalogue version."""

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
"""Label of gauges with one series per worker: a small number, reused by later workers."""


@dataclass(frozen=True)
class MetricDescriptor:
    """The declaration of a metric in a worker file: enough to merge and to expose its series."""

    name: str
    kind: Kind
    unit: str
    description: str
    labels: tuple[str, ...]
    attribute_keys: tuple[str, ...]
    """OpenTelemetry's names of the labels."""
    bounds: tuple[float, ...] = ()
    """The bounds of the buckets in the file."""
    native_buckets: tuple[float, ...] = ()
    """The declared bounds of a native histogram, which are some of the bounds; else none."""
    multiprocess_mode: MultiprocessMode = "mostrecent"
    max_series: int = MAX_SERIES
    """The cardinality limit. Series over it are added to the overflow series."""

    @property
    def survives_worker(self) -> bool:
        """True if the values of a dead worker still count."""
        match INSTRUMENT_KINDS[self.kind].merge:
            case "sum":
                return True
            case "live_sum":
                return False
            case "multiprocess_mode":
                return self.multiprocess_mode == "mostrecent"

    @property
    def is_per_worker(self) -> bool:
        """True if every worker has series of its own, with the label `WORKER`."""
        merge = INSTRUMENT_KINDS[self.kind].merge
        return merge == "multiprocess_mode" and self.multiprocess_mode == "all"

    @cached_property
    def width(self) -> int:
        """Number of doubles of a series; see `recording.memory`."""
        return INSTRUMENT_KINDS[self.kind].cell.width(self.bounds)

    @cached_property
    def merge_key(self) -> tuple[object, ...]:
        """Key of equal descriptors: their series can be added without conversion."""
        layout = (self.labels, self.bounds, self.native_buckets)
        return (self.name, self.kind, self.unit, *layout, self.multiprocess_mode)

    def is_compatible(self, other: MetricDescriptor) -> bool:
        """Return True if series of the other descriptor can be converted to this descriptor."""
        return (self.name, self.kind, self.unit) == (other.name, other.kind, other.unit)

    def as_json(self) -> bytes:
        """Return the text of a descriptor record."""
        return orjson.dumps(asdict(self))


@lru_cache(maxsize=4096)
def describe(instrument: Instrument[...], max_series: int = MAX_SERIES) -> MetricDescriptor:
    """Return the descriptor of an instrument.

    Args:
        instrument: the declaration.
        max_series: cardinality limit, for an instrument without its own.
    """
    labels = instrument.label_fields
    return MetricDescriptor(
        name=instrument.name,
        kind=instrument.kind,
        unit=instrument.unit,
        description=instrument.description,
        labels=tuple(field.name for field in labels),
        attribute_keys=tuple(field.attribute.key for field in labels),
        bounds=instrument.counted_bounds,
        native_buckets=instrument.buckets
        if isinstance(instrument, Histogram) and instrument.native
        else (),
        multiprocess_mode=instrument.multiprocess_mode
        if isinstance(instrument, Gauge)
        else "mostrecent",
        max_series=CardinalityLimit(labels, instrument.max_series or max_series).limit,
    )


def descriptor_from_json(record: Mapping[str, Any]) -> MetricDescriptor:
    """Return the descriptor of a record. Fields of newer versions are ignored.

    Args:
        record: the parsed text of `MetricDescriptor.as_json`.

    Raises:
        LookupError, TypeError: the record lacks a required field.
    """
    names = [field.name for field in fields(MetricDescriptor)]
    values: dict[str, Any] = {name: record[name] for name in names if name in record}
    for name in ("labels", "attribute_keys", "bounds"):
        values[name] = tuple(record[name])
    values["native_buckets"] = tuple(record.get("native_buckets", ()))
    return MetricDescriptor(**values)


@lru_cache(maxsize=1024)
def instrument_of(descriptor: MetricDescriptor) -> Instrument[...]:
    """Return an instrument for a descriptor: the same object for equal descriptors.

    Raises:
        DeclarationError: this version of otel_meta refuses the declaration.
    """
    pairs = list(zip(descriptor.labels, descriptor.attribute_keys, strict=True))
    if descriptor.is_per_worker:
        pairs.append((WORKER, WORKER))
    labels = label_class_from(tuple(Label(name, None, None, Attribute(key)) for name, key in pairs))
    name, description, unit = descriptor.name, descriptor.description, descriptor.unit
    match descriptor.kind:
        case "counter":
            return Counter(name, description, labels, unit=unit)
        case "updowncounter":
            return UpDownCounter(name, description, labels, unit=unit)
        case "gauge":
            return Gauge(name, description, labels, unit=unit)
        case "histogram":
            native = descriptor.native_buckets
            buckets = native or descriptor.bounds
            return Histogram(
                name, description, labels, unit=unit, buckets=buckets, native=bool(native)
            )
