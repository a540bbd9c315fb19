"""Families of prometheus_client in OpenMetrics 2.0, which prometheus_client does not write.

A family that breaks a rule of its type, such as a histogram without a sum, is written as samples
without a type: Prometheus stores the same series of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import UNDERSCORES, escape_label_name
from prometheus_client.samples import Sample

from .attributes import format_labels
from .families import Metadata
from .text_format import OPENMETRICS2, format_float

Series = tuple[tuple[str, str], ...]


class UntypedError(ValueError):
    """A family that OpenMetrics 2.0 allows without its type only."""


class _Composite(NamedTuple):
    """How the samples of a type become one line."""

    totals: tuple[str, str]
    """The names of the count and of the sum."""
    parts: str
    """The suffix of the other samples."""
    label: str
    """The label that tells these samples apart."""
    field: str
    """The name of their list in the line."""


_COMPOSITES: Final[Mapping[str, _Composite]] = {
    "histogram": _Composite(("count", "sum"), "_bucket", "le", "bucket"),
    "gaugehistogram": _Composite(("gcount", "gsum"), "_bucket", "le", "bucket"),
    "summary": _Composite(("count", "sum"), "", "quantile", "quantile"),
}
_SUFFIXES: Final[Mapping[str, str]] = {"counter": "_total", "info": "_info"}
_WITHOUT_UNIT: Final = frozenset({"info", "stateset"})


def composite_lines(metric: Metric, name: str) -> str:
    """Render the lines of a family.

    Args:
        metric: the family.
        name: its name on the page.
    """
    samples = [each for each in metric.samples if not each.native_histogram]
    try:
        lines = "".join(_typed_lines(metric, name, samples))
    except UntypedError:
        return "".join(_untyped_lines(metric, name, samples))
    unit = "" if metric.type in _WITHOUT_UNIT else metric.unit
    metadata = Metadata(name, metric.type, metric.documentation, unit)
    return metadata.header(OPENMETRICS2) + lines


def _typed_lines(metric: Metric, name: str, samples: list[Sample]) -> Iterator[str]:
    created_name = f"{metric.name}_created"
    created = {_series(each): each.value for each in samples if each.name == created_name}
    starts = {series: f" st@{format_float(value)}" for series, value in created.items()}
    kept = [each for each in samples if each.name != created_name]
    composite = _COMPOSITES.get(metric.type)
    if composite is not None:
        return _composite_lines(metric, name, kept, starts, composite)
    return _number_lines(metric, name, kept, starts)


def _number_lines(
    metric: Metric, name: str, samples: list[Sample], starts: Mapping[Series, str]
) -> Iterator[str]:
    suffix = _SUFFIXES.get(metric.type, "")
    is_valid = _VALID.get(metric.type, _any_sample)
    for sample in samples:
        if sample.name != metric.name + suffix or not is_valid(metric, sample):
            raise UntypedError(f"{sample.name} is no sample of type {metric.type}")
        start = starts.get(_series(sample), "")
        yield _line(name + suffix, sample, format_float(float(sample.value)), start)


def _composite_lines(
    metric: Metric,
    name: str,
    samples: list[Sample],
    starts: Mapping[Series, str],
    composite: _Composite,
) -> Iterator[str]:
    groups: dict[Series, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(_series(sample, composite.label), []).append(sample)
    for series, group in groups.items():
        value = _composite_value(metric, group, composite)
        labels = f"{{{format_labels(series)}}}" if series else ""
        exemplars = "".join(map(_exemplar, group))
        yield f"{name}{labels} {value}{_timestamp(group)}{starts.get(series, '')}{exemplars}\n"


def _composite_value(metric: Metric, group: list[Sample], composite: _Composite) -> str:
    """Return the samples of one series as one value.

    Raises:
        UntypedError: a sample is missing, of another kind, or out of order.
    """
    by_name: dict[str, list[Sample]] = {}
    for sample in group:
        by_name.setdefault(sample.name, []).append(sample)
    totals = [by_name.pop(f"{metric.name}_{name}", []) for name in composite.totals]
    parts = by_name.pop(metric.name + composite.parts, [])
    if by_name or [len(each) for each in totals] != [1, 1]:
        raise UntypedError(f"{metric.name} has other samples than its type")
    thresholds = [_threshold(each, composite.label) for each in parts]
    if not _is_complete(metric.type, thresholds, [float(each.value) for each in parts]):
        raise UntypedError(f"{metric.name} has other thresholds than its type")
    fields = [
        f"{field}:{format_float(float(sample.value))}"
        for field, (sample,) in zip(composite.totals, totals, strict=True)
    ]
    pairs = [
        f"{format_float(threshold)}:{format_float(float(each.value))}"
        for threshold, each in zip(thresholds, parts, strict=True)
    ]
    return f"{{{','.join(fields)},{composite.field}:[{','.join(pairs)}]}}"


def _is_complete(kind: str, thresholds: list[float], values: list[float]) -> bool:
    if any(not first < second for first, second in pairwise(thresholds)):
        return False
    if kind == "summary":
        return all(0 <= threshold <= 1 for threshold in thresholds)
    is_allowed = kind == "gaugehistogram" or all(value >= 0 for value in values)
    return is_allowed and bool(thresholds) and thresholds[-1] == math.inf


def _threshold(sample: Sample, label: str) -> float:
    try:
        return float(sample.labels[label])
    except (KeyError, ValueError) as error:
        raise UntypedError(f"{sample.name} has no threshold") from error


def _untyped_lines(metric: Metric, name: str, samples: list[Sample]) -> Iterator[str]:
    """Yield the samples by name: without a type, each name is a family of its own."""
    for sample in sorted(samples, key=lambda each: each.name):
        suffix = sample.name.removeprefix(metric.name)
        text = format_float(float(sample.value))
        yield _line(name + suffix, sample._replace(exemplar=None), text, "")


def _line(name: str, sample: Sample, value: str, start: str) -> str:
    series = _series(sample)
    labels = f"{{{format_labels(series)}}}" if series else ""
    return f"{name}{labels} {value}{_timestamp([sample])}{start}{_exemplar(sample)}\n"


def _timestamp(samples: Iterable[Sample]) -> str:
    """Return the one timestamp of the samples.

    Raises:
        UntypedError: there are several.
    """
    found = {None if each.timestamp is None else str(each.timestamp) for each in samples}
    if len(found) != 1:
        raise UntypedError("the samples of a series have several timestamps")
    timestamp = found.pop()
    return "" if timestamp is None else f" {timestamp}"


def _exemplar(sample: Sample) -> str:
    """Render the exemplar of a sample; OpenMetrics 2.0 has none without a timestamp."""
    exemplar: Any = sample.exemplar
    if exemplar is None or exemplar.timestamp is None:
        return ""
    labels = format_labels(tuple(sorted(exemplar.labels.items())))
    return f" # {{{labels}}} {format_float(float(exemplar.value))} {exemplar.timestamp}"


def _series(sample: Sample, without: str = "") -> Series:
    pairs = (pair for pair in sample.labels.items() if pair[0] != without)
    return tuple(sorted((escape_label_name(name, UNDERSCORES), value) for name, value in pairs))


def _any_sample(_metric: Metric, _sample: Sample) -> bool:
    return True


def _is_info(_metric: Metric, sample: Sample) -> bool:
    return bool(sample.value == 1)


def _is_state(metric: Metric, sample: Sample) -> bool:
    return sample.value in (0, 1) and metric.name in sample.labels


_VALID: Final[Mapping[str, Callable[[Metric, Sample], bool]]] = {
    "info": _is_info,
    "stateset": _is_state,
}
"""Rules for the samples of a type."""
