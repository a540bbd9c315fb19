"""A declared measure in PromQL."""

from __future__ import annotations

from typing import assert_never

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

from .promql_builder import count_suffix, lines, number, series_of, sum_by
from .series_names import NAMESPACE


def expression(measure: Measure, namespace: str) -> str:
    """Return the expression of a measure, grouped by its labels and by service_namespace."""
    return _with_offset(measure, namespace, "")


def _with_offset(measure: Measure, namespace: str, offset: str) -> str:
    by = (NAMESPACE, *measure.by)
    match measure:
        case Latest():
            return sum_by(by, series_of(measure.source, namespace) + offset, measure.aggregation)
        case OverTime():
            series = series_of(measure.source, namespace)
            over = f"{measure.function}_over_time({series}[{measure.over}]{offset})"
            return sum_by(by, over, measure.aggregation)
        case Quantile():
            buckets = series_of(measure.source, namespace, "_bucket")
            rates = sum_by((*by, "le"), f"rate({buckets}[{measure.over}]{offset})")
            return f"histogram_quantile({number(measure.q)}, {rates})"
        case Rate() | Increase():
            function = "rate" if isinstance(measure, Rate) else "increase"
            series = series_of(measure.source, namespace, count_suffix(measure.source))
            return sum_by(by, f"{function}({series}[{measure.over}]{offset})")
        case Share():
            return _share(measure, namespace, by)
        case RelativeChange():
            now, then = (
                _with_offset(measure.of, namespace, o) for o in ("", f" offset {measure.over}")
            )
            return lines(now, "/", f"({then} > 0)", "- 1")
        case _:
            assert_never(measure)


def _share(measure: Share, namespace: str, by: tuple[str, ...]) -> str:
    part, whole = (
        sum_by(by, f"increase({series_of(m, namespace, count_suffix(m))}[{measure.over}])")
        for m in (measure.part, measure.whole)
    )
    return lines("(", f"  {part}", "  or", f"  0 * {whole}", ")", "/", f"({whole} > 0)")
