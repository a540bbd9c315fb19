"""The facts about each kind of instrument that OpenTelemetry and Prometheus prescribe.

One row for each kind. `Instrument.traits` is the row of an instrument; rules, dashboards, checks
and exporters read it instead of the name of the kind. The facts of the running process have a
table of their own, `otel_meta.runtime.recording.instrument_kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypedDict, get_args

Kind = Literal["counter", "histogram", "gauge", "updowncounter"]
"""The kinds of instruments."""

PointKind = Literal["sum", "gauge", "histogram"]
"""The data points of OpenTelemetry's metrics data model that otel_meta exports."""

PrometheusType = Literal["counter", "gauge", "histogram"]
"""The metric types of Prometheus that otel_meta exposes."""


@dataclass(frozen=True, kw_only=True)
class KindTraits:
    """One kind of instrument.

    Args:
        point: the data point that the instrument exports.
        prometheus_type: the type of its metric family in Prometheus.
        monotonic: True if the exported sum only grows; Prometheus then adds ``_total``.
        sample_suffixes: the endings of the family's sample names; "" for the family's own name.
        count_suffix: the ending of the sample that counts events; "" for the family's own name.
    """

    point: PointKind
    prometheus_type: PrometheusType
    monotonic: bool = False
    sample_suffixes: tuple[str, ...] = ("",)
    count_suffix: str = ""

    @property
    def counts_events(self) -> bool:
        """True if ``rate`` and ``increase`` apply to the samples, which only grow."""
        return self.prometheus_type != "gauge"

    @property
    def has_buckets(self) -> bool:
        """True if values are counted by bucket, so that quantiles and thresholds apply."""
        return self.point == "histogram"

    @property
    def is_additive(self) -> bool:
        """True if the sum over several processes is meaningful."""
        return self.point != "gauge"


class _KindTable(TypedDict):
    counter: KindTraits
    histogram: KindTraits
    gauge: KindTraits
    updowncounter: KindTraits


KIND_TRAITS: Final[_KindTable] = {
    "counter": KindTraits(point="sum", prometheus_type="counter", monotonic=True),
    "histogram": KindTraits(
        point="histogram",
        prometheus_type="histogram",
        sample_suffixes=("_bucket", "_count", "_sum"),
        count_suffix="_count",
    ),
    "gauge": KindTraits(point="gauge", prometheus_type="gauge"),
    "updowncounter": KindTraits(point="sum", prometheus_type="gauge"),
}
"""The traits of every kind. A type checker reports a kind that has no row."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Every kind, in the order of error messages."""

EVENT_KINDS: Final = tuple(kind for kind in KINDS if KIND_TRAITS[kind].counts_events)
"""The kinds that rates, increases, shares and ratios accept."""

VALUE_KINDS: Final = tuple(kind for kind in KINDS if not KIND_TRAITS[kind].counts_events)
"""The kinds with a current value, which measures of gauges and time slices accept."""

BUCKET_KINDS: Final = tuple(kind for kind in KINDS if KIND_TRAITS[kind].has_buckets)
"""The kinds that quantiles and thresholds accept."""
