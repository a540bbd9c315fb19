"""Parts of PromQL expressions: selectors, numbers and sums, valid in Prometheus 2.42 and 3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from otel_meta.model import Duration, Selector, Slo
from otel_meta.model.bucket_bounds import le_spellings
from otel_meta.render.options import Options
from otel_meta.status.promql_text import (
    compared,
    equals,
    escaped,
    matcher,
    number,
    one_of,
    quoted,
    selector,
)

from .series_names import NAMESPACE, SLO

__all__ = [
    "all_of",
    "bucket",
    "compared",
    "count_suffix",
    "equals",
    "increase",
    "indented",
    "labelled",
    "lines",
    "matcher",
    "none_of",
    "number",
    "one_of",
    "quoted",
    "selector",
    "series_of",
    "slo_series",
    "sum_by",
]


def slo_series(name: str, slo: Slo) -> str:
    """Return a selector of a recorded series of an SLO."""
    return selector(name, [equals(SLO, slo.name)])


def none_of(label: str, values: Sequence[str]) -> str:
    """Return a matcher of any other value."""
    return f"{label}!~{quoted('|'.join(map(escaped, values)))}"


def series_of(selected: Selector, namespace: str, suffix: str = "", *more: str) -> str:
    """Return a vector selector of one meta-repository's series.

    Args:
        selected: the instrument and its matchers.
        namespace: the meta-repository's name.
        suffix: of a histogram, ``_bucket``, ``_count`` or ``_sum``.
        more: further matchers.
    """
    matchers = [equals(NAMESPACE, namespace), *map(matcher, selected.matchers), *more]
    return selector(selected.instrument.prometheus_name + suffix, matchers)


def bucket(bound: float) -> str:
    """Return a matcher of a histogram's bucket, in every spelling of its bound."""
    plain, *others = le_spellings(bound)
    if not others:
        return equals("le", plain)
    if others == [f"{plain}.0"]:
        return f"le=~{quoted(plain + _WHOLE)}"
    return f"le=~{quoted('|'.join(map(escaped, (plain, *others))))}"


def count_suffix(selected: Selector) -> str:
    """Return the suffix of the series that counts a metric's events."""
    return selected.instrument.traits.count_suffix


def sum_by(labels: Iterable[str], expression: str, operator: str = "sum") -> str:
    """Return an aggregation that keeps these labels; without any, of everything."""
    by = ", ".join(labels)
    return f"{operator} by ({by}) ({expression})" if by else f"{operator}({expression})"


def increase(series: str, over: Duration, options: Options, offset: str = "") -> str:
    """Return the increase of counters over a span.

    From Prometheus 3.16 on it is exact: the difference between the last sample before the span and
    the last sample inside. Before, it is extrapolated to the edges of the span.

    Args:
        series: a vector selector.
        over: the span.
        options: the version of Prometheus.
        offset: the offset of the span, as " offset 1d".
    """
    anchor = " anchored" if options.anchored else ""
    return f"increase({series}[{over}]{anchor}{offset})"


def lines(*parts: str) -> str:
    """Return an expression of several lines."""
    return "\n".join(parts)


def labelled(expression: str, label: str, value: str) -> str:
    """Return an expression whose series have another label, so that ``or`` keeps all of them."""
    if "\n" not in expression:
        return f'label_replace({expression}, "{label}", "{value}", "", "")'
    return lines("label_replace(", indented(expression), f', "{label}", "{value}", "", "")')


def all_of(*conditions: str) -> str:
    """Return the expression of which every condition is true, with the values of the first."""
    return lines("(", indented("\nand\n".join(conditions)), ")")


def indented(text: str) -> str:
    """Return an expression with each line two columns to the right."""
    return "\n".join(f"  {line}" for line in text.split("\n"))


_WHOLE: Final = r"(\.0)?"
