"""The recorded layers below measures: what a measure over days reads instead of raw series.

Raw series cost samples for each process and each scrape: a percentile over seven days read 40,320
samples of each bucket of each process, each minute. A layer is aggregated when it is recorded, so
that the cost depends on the groups of the result alone.

- A gauge: its value now, over the living processes. An average over time of this layer does not
  count processes that are gone.
- A counter or histogram: its increase over five minutes, and the sum of twelve of these, an hour.
  A day has 24 values, and seven days have 168.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from otel_meta.model import Duration, Gauge, Selector
from otel_meta.model.selector import Presence
from otel_meta.render.options import Options
from otel_meta.render.rules.promql_builder import equals, increase, selector, series_of, sum_by
from otel_meta.render.rules.rule import Record
from otel_meta.render.rules.series_names import NAMESPACE, UP

STEP: Final = Duration("5m")
"""The window of the first layer of counts."""
HOUR: Final = Duration("1h")
"""The window of the second layer of counts."""
LONG: Final = Duration("6h")
"""From this span on, whole hours are added up."""

Aggregation = Literal["sum", "avg", "max", "min"]

_OTHER: Final = re.compile(r"[^a-z0-9]+")
_LEVELS: Final = {"service_name": "service"}


def of_namespace(name: str, namespace: str) -> str:
    """Return the selector of what one meta-repository records under a name that others use too."""
    return selector(name, [equals(NAMESPACE, namespace)])


def labels_of(by: tuple[str, ...], options: Options) -> tuple[str, ...]:
    """Return the labels of a measure: the meta-repository, its own, and the places."""
    return tuple(dict.fromkeys((NAMESPACE, *by, *options.identity.places)))


def current_value(
    source: Selector,
    namespace: str,
    aggregation: Aggregation,
    by: tuple[str, ...],
    options: Options,
) -> str:
    """Return the value of a gauge now, over the processes that live.

    Replicas report a gauge each for the same thing, so a sum over its series first takes one of
    them: the maximum, or what the gauge does over workers. Parts of an up-down counter add up.
    """
    series = series_of(source, namespace)
    labels = labels_of(by, options)
    if aggregation == "sum" and (same := _across_processes(source)) != "sum":
        own = (field.name for field in source.instrument.label_fields)
        every = tuple(dict.fromkeys((*options.identity.service, *own)))
        return sum_by(labels, sum_by(every, series, same))
    return sum_by(labels, series, aggregation)


def value_layer(
    source: Selector,
    namespace: str,
    aggregation: Aggregation,
    by: tuple[str, ...],
    options: Options,
) -> Record:
    """Return the recording of the value of a gauge now."""
    name = _name(source, "", by, aggregation)
    return Record(name, current_value(source, namespace, aggregation, by, options))


class CountLayers:
    """The recordings of the events of a counter or histogram, and sums of the recorded events.

    Args:
        source: the instrument and its matchers.
        suffix: of the samples: ``_bucket``, ``_count``, or "".
        namespace: the meta-repository's name.
        by: the labels of the result, without identity.
        options: the places are labels of the result; the version of Prometheus counts.
    """

    def __init__(
        self,
        source: Selector,
        suffix: str,
        namespace: str,
        by: tuple[str, ...],
        options: Options,
    ) -> None:
        self._options: Final = options
        self._labels: Final = labels_of(by, options)
        self._series: Final = series_of(source, namespace, suffix)
        self._is_born: Final = suffix != "_bucket"  # percentiles do without the first value
        self._names: Final = {
            span: _name(source, suffix, by, f"increase{span}") for span in (STEP, HOUR)
        }
        self._recorded: Final = {
            span: of_namespace(name, namespace) for span, name in self._names.items()
        }

    def records(self, over: Duration) -> Iterator[Record]:
        """Yield the recordings that a sum over a span reads, in the order of evaluation."""
        if not is_layered(over):
            return
        yield Record(self._names[STEP], self._raw(STEP, "", with_born=self._is_born))
        if _in_hours(over):
            steps = self._recorded[STEP]
            yield Record(self._names[HOUR], f"sum_over_time({steps}[{HOUR}:{STEP}])")

    def events(self, over: Duration, offset: str, *, each: bool = False) -> str:
        """Return the events of a span, from the coarsest layer that fits.

        Hours are added up on the hour; a series that is younger has its last hour.

        Args:
            over: the span.
            offset: the offset of the span, as " offset 1d".
            each: count the first event of each series as well, where raw series are read.
        """
        if not is_layered(over):
            return self._raw(over, offset, with_born=each and self._is_born)
        if not _in_hours(over):
            return f"sum_over_time({self._recorded[STEP]}[{over}:{STEP}]{offset})"
        hours = self._recorded[HOUR]
        return f"(sum_over_time({hours}[{over}:{HOUR}]{offset}) or {hours}{offset})"

    def per_second(self, over: Duration, offset: str) -> str:
        """Return the events a second of a span."""
        if is_layered(over):
            return f"{self.events(over, offset)} / {over.seconds}"
        return sum_by(self._labels, f"rate({self._series}[{over}]{offset})")

    def _raw(self, over: Duration, offset: str, *, with_born: bool) -> str:
        counted = increase(self._series, over, self._options, offset)
        if with_born and not offset:
            counted = f"\n  {_born(self._series, over)}\n  or\n  {counted}\n"
        return sum_by(self._labels, counted)


def _born(series: str, over: Duration) -> str:
    """Return the value of each counter that was born within a span, which an increase lacks.

    A counter of an open label begins with its first event. It is new if its process reported before
    it; a process that Prometheus finds only now may have counted for days.
    """
    return f"({series} unless {series} offset {over} and on (job, instance) {UP} offset {over})"


def is_layered(over: Duration) -> bool:
    """Return True for a span that reads recorded layers: longer than an hour."""
    return over > HOUR and over.seconds % STEP.seconds == 0


def _in_hours(over: Duration) -> bool:
    return over >= LONG and over.seconds % HOUR.seconds == 0


def _across_processes(source: Selector) -> Aggregation:
    """Return how the values of several processes become one."""
    instrument = source.instrument
    if instrument.traits.is_additive:
        return "sum"
    mode = instrument.multiprocess_mode if isinstance(instrument, Gauge) else "max"
    return mode if mode in ("sum", "min") else "max"


def _name(source: Selector, suffix: str, by: tuple[str, ...], operation: str) -> str:
    """Return level:metric:operation; the operation begins with the values that are selected."""
    labels = [label for label in by if label != "le"]
    level = "_".join(_LEVELS.get(label, label) for label in labels) or "namespace"
    chosen = (
        (matcher.label,) if isinstance(matcher.values, Presence) else matcher.values
        for matcher in source.matchers
    )
    words = [_OTHER.sub("_", value.lower()) for values in chosen for value in values]
    metric = source.instrument.prometheus_name + suffix
    return f"{level}:{metric}:{'_'.join([*words, operation])}"
