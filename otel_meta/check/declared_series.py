"""The series of a catalogue's instruments as Prometheus shows them, on every export path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_meta.model import Catalog, Histogram, Instrument
from otel_meta.model.labels import OTHER, Label
from otel_meta.model.self_metrics import OWN
from otel_meta.render.rules.series_names import NAMESPACE, SERVICE, UP

from .promql.shape import Kind, Shape
from .promql.values import ABSENT, ANY, PRESENT, Values, one_of


def declared(catalog: Catalog) -> dict[str, Shape]:
    """Every sample name and what its series may look like."""
    identity = _identity(catalog)
    own = {UP: Shape(identity, kind="gauge")}
    for instrument in (*OWN, *(instrument for _, instrument in catalog.instruments())):
        own |= dict(_samples(instrument, identity))
    return own


def _identity(catalog: Catalog) -> dict[str, Values]:
    """On every series. A scrape adds job and instance; a push through the Collector may not."""
    return {
        NAMESPACE: one_of(repo.name for repo in catalog),
        SERVICE: PRESENT,
        "job": ANY,
        "instance": ANY,
        "otel_metric_overflow": ABSENT | one_of(["true"]),  # where a metric has too many series
    }


def _samples(
    instrument: Instrument[...], identity: Mapping[str, Values]
) -> Iterator[tuple[str, Shape]]:
    labels = {label.name: _values(label) for label in instrument.label_fields}
    # A histogram counts as a counter: its buckets, its count, and its sum if no value is negative.
    kind: Kind = "counter" if instrument.traits.counts_events else "gauge"
    shape = Shape({**identity, **labels}, kind=kind)
    for name in instrument.sample_names:
        yield name, _bucket(instrument, shape) if name.endswith("_bucket") else shape


def _values(label: Label) -> Values:
    if label.values is not None:
        return one_of((*label.values, OTHER, *([] if label.default is None else [label.default])))
    return PRESENT if label.default is None else ANY


def _bucket(instrument: Instrument[...], shape: Shape) -> Shape:
    bounds = instrument.buckets if isinstance(instrument, Histogram) else ()
    spelt = {text for bound in bounds for text in _spellings(bound)}
    return shape.having({"le": one_of((*spelt, "+Inf"))})


def _spellings(bound: float) -> Iterator[str]:
    """A bound is written 1.0 or 1, by the export path and the version of Prometheus."""
    yield repr(bound)
    yield f"{bound:g}"
    yield from [str(int(bound))] if bound.is_integer() else []
