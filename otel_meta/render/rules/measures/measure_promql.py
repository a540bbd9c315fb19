"""A declared measure in PromQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from otel_meta.model import Duration, Selector
from otel_meta.model.measure import (
    Increase,
    Latest,
    Measure,
    OverTime,
    Quantile,
    Rate,
    RelativeChange,
    Share,
)
from otel_meta.render.options import Options
from otel_meta.render.rules.promql_builder import count_suffix, lines, number
from otel_meta.render.rules.rule import Record

from .measure_layers import STEP, CountLayers, current_value, of_namespace, value_layer

_DEFAULT: Final = Options()
_DAY: Final = Duration("1d")


def expression(measure: Measure, namespace: str, options: Options = _DEFAULT) -> str:
    """Return the expression of a measure, by its labels, the meta-repository and the places."""
    return _Renderer(namespace, options).expression(measure, "")


def layers_of(measure: Measure, namespace: str, options: Options = _DEFAULT) -> Iterator[Record]:
    """Yield the recordings that the expression of a measure reads, in the order of evaluation."""
    return _Renderer(namespace, options).layers(measure)


class _Renderer:
    def __init__(self, namespace: str, options: Options) -> None:
        self._namespace = namespace
        self._options = options

    def layers(self, measure: Measure) -> Iterator[Record]:
        match measure:
            case Latest():
                pass
            case OverTime():
                yield self._value(measure)
            case Quantile():
                yield from self._buckets(measure).records(measure.over)
            case Rate() | Increase():
                yield from self._counts(measure.source, measure.by).records(measure.over)
            case Share():
                for part in (measure.part, measure.whole):
                    yield from self._counts(part, measure.by).records(measure.over)
            case RelativeChange():
                yield from self.layers(measure.of)
            case _:
                assert_never(measure)

    def expression(self, measure: Measure, offset: str) -> str:
        match measure:
            case Latest() | OverTime():
                return self._gauge(measure, offset)
            case Quantile():
                events = self._buckets(measure).events(measure.over, offset)
                return f"histogram_quantile({number(measure.q)}, {events})"
            case Increase():
                counts = self._counts(measure.source, measure.by)
                return counts.events(measure.over, offset, each=True)
            case Rate():
                return self._counts(measure.source, measure.by).per_second(measure.over, offset)
            case Share():
                return self._share(measure)
            case RelativeChange():
                return self._change(measure)
            case _:
                assert_never(measure)

    def _gauge(self, measure: Latest | OverTime, offset: str) -> str:
        if isinstance(measure, OverTime):
            return self._over_time(measure, offset)
        return current_value(
            measure.source, self._namespace, measure.aggregation, measure.by, self._options
        )

    def _change(self, measure: RelativeChange) -> str:
        then = self.expression(measure.of, f" offset {measure.over}")
        return lines(self.expression(measure.of, ""), "/", f"({then} > 0)", "- 1")

    def _over_time(self, measure: OverTime, offset: str) -> str:
        """Read each value for a maximum, and one in five minutes for an average over days."""
        over = measure.over
        sampled = measure.function == "avg" and over >= _DAY
        window = f"{over}:{STEP}" if sampled else str(over)
        values = of_namespace(self._value(measure).record, self._namespace)
        return f"{measure.function}_over_time({values}[{window}]{offset})"

    def _share(self, measure: Share) -> str:
        part, whole = (
            self._counts(source, measure.by).events(measure.over, "")
            for source in (measure.part, measure.whole)
        )
        return lines("(", f"  {part}", "  or", f"  0 * {whole}", ")", "/", f"({whole} > 0)")

    def _value(self, measure: OverTime) -> Record:
        return value_layer(
            measure.source, self._namespace, measure.aggregation, measure.by, self._options
        )

    def _counts(self, source: Selector, by: tuple[str, ...]) -> CountLayers:
        return CountLayers(source, count_suffix(source), self._namespace, by, self._options)

    def _buckets(self, measure: Quantile) -> CountLayers:
        by = (*measure.by, "le")
        return CountLayers(measure.source, "_bucket", self._namespace, by, self._options)
