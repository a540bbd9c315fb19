"""Types of the series of a catalogue's instruments in Prometheus, on every export path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from otel_meta.model import Catalog, Histogram, Instrument
from otel_meta.model.bucket_bounds import le_spellings
from otel_meta.model.labels import OTHER, Label
from otel_meta.model.self_metrics import OWN
from otel_meta.render.rules.series_names import NAMESPACE, SERVICE, UP
from otel_meta.semconv import INSTRUMENTATION

from .promql.series_type import MetricType, SeriesType
from .promql.values import ABSENT, ANY, PRESENT, Values, one_of


def declared_series(catalog: Catalog, *, native: bool = False) -> dict[str, SeriesType]:
    """Return the type of the series of every sample name.

    Args:
        catalog: the declared instruments.
        native: True if Prometheus keeps every histogram as a native one too.
    """
    identity = _identity(catalog)
    own = {UP: SeriesType(identity, metric_type="gauge")}
    declared = (instrument for _, instrument in catalog.instruments())
    for instrument in (*OWN, *INSTRUMENTATION, *declared):
        own |= dict(_samples(instrument, identity, native=native))
    return own


def _identity(catalog: Catalog) -> dict[str, Values]:
    """Return the labels of every series; only scraped series always have job and instance."""
    return {
        NAMESPACE: one_of(repo.name for repo in catalog),
        SERVICE: PRESENT,
        "job": ANY,
        "instance": ANY,
        "otel_metric_overflow": ABSENT | one_of(["true"]),  # the series over the cardinality limit
    }


def _samples(
    instrument: Instrument[...], identity: Mapping[str, Values], *, native: bool
) -> Iterator[tuple[str, SeriesType]]:
    labels = {label.name: _values(label) for label in instrument.label_fields}
    # A histogram counts as a counter: its buckets, its count, and its sum if no value is negative.
    metric_type: MetricType = "counter" if instrument.traits.counts_events else "gauge"
    series_type = SeriesType({**identity, **labels}, metric_type=metric_type)
    if isinstance(instrument, Histogram) and (native or instrument.native):
        yield instrument.prometheus_name, series_type.of_metric_type("histogram")
    for name in instrument.sample_names:
        yield name, _bucket(instrument, series_type) if name.endswith("_bucket") else series_type


def _values(label: Label) -> Values:
    if label.values is not None:
        return one_of((*label.values, OTHER, *([] if label.default is None else [label.default])))
    return PRESENT if label.default is None else ANY


def _bucket(instrument: Instrument[...], series_type: SeriesType) -> SeriesType:
    spellings = chain.from_iterable(map(le_spellings, instrument.buckets))
    return series_type.having({"le": one_of((*spellings, "+Inf"))})
