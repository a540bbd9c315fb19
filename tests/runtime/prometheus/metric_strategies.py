"""Hypothesis strategies: declared instruments, SDK instruments, and measurements of both."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from hypothesis import strategies as st
from opentelemetry.metrics import Observation

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.errors import DeclarationError
from otel_meta.model.names import check_name
from otel_meta.testing import CapturedTelemetry, capture

WORDS = st.text(st.characters(exclude_categories=()), max_size=8)
"""Any text, lone surrogates included."""

NUMBERS = st.floats() | st.integers() | st.sampled_from([10**400, -0.0, True])


def _is_declarable(name: str) -> bool:
    try:
        check_name(name, "")
    except DeclarationError:
        return False
    return True


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,2}(?:[._][a-z0-9]{1,2}){0,2}", fullmatch=True).filter(
    _is_declarable
) | st.sampled_from(["app", "app.count", "app.created", "app.bucket", "app.sum", "le"])
KEYS = st.from_regex(r"[a-z][a-z0-9]{0,3}(?:_[a-z0-9]{1,2})?", fullmatch=True).filter(
    lambda key: key not in ("le", "job", "in", "is", "if", "as", "or")
)
UNITS = st.sampled_from(["", "By", "{thing}", "%"])


class DeclaredMetric(NamedTuple):
    """An instrument, and pairs of a value and labels to record."""

    instrument: Any
    recordings: list[tuple[float, dict[str, str]]]


@st.composite
def declared_metrics(draw: st.DrawFn) -> DeclaredMetric:
    """Draw an instrument of any kind, with any labels and values."""
    keys = draw(st.lists(KEYS, max_size=2, unique=True))
    label_class: Any = type("DrawnLabels", (), {"__annotations__": dict.fromkeys(keys, str)})
    kind = draw(st.sampled_from([Counter, UpDownCounter, Gauge, Histogram]))
    bounds = draw(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=4, unique=True))
    options: Any = {"buckets": tuple(sorted(bounds))} if kind is Histogram else {}
    description = f"Things {draw(WORDS)}."
    name, unit = draw(NAMES), draw(UNITS)
    instrument = kind(name, description, labels(label_class), unit=unit, **options)
    values = st.fixed_dictionaries(dict.fromkeys(keys, WORDS))
    return DeclaredMetric(instrument, draw(st.lists(st.tuples(NUMBERS, values), max_size=6)))


class SdkMetric(NamedTuple):
    """An instrument of the SDK, and pairs of a value and attributes to measure."""

    scope: str
    kind: str
    name: str
    unit: str
    description: str
    measurements: list[tuple[float, dict[str, Any]]]


SDK_METRICS = st.builds(
    SdkMetric,
    st.sampled_from(["one", "two"]),
    st.sampled_from(["counter", "updown", "gauge", "histogram", "observed"]),
    st.from_regex(r"[a-zA-Z][-_./a-zA-Z0-9]{0,5}", fullmatch=True)
    | st.sampled_from(["app", "app.count", "app.total", "app.bucket"]),
    st.text(st.characters(codec="ascii"), max_size=4) | st.sampled_from(["1", "s", "By/s", "{a}"]),
    WORDS,
    st.lists(
        st.tuples(
            st.floats() | st.integers(),
            st.dictionaries(
                WORDS | st.sampled_from(["a.b", "a_b", "a-b", "le", "__name__", "service_name"]),
                WORDS | st.booleans() | st.integers() | st.floats() | st.lists(WORDS, max_size=2),
                max_size=3,
            ),
        ),
        max_size=4,
    ),
)


class Metrics(NamedTuple):
    """Declared metrics and SDK metrics of a process."""

    declared: list[DeclaredMetric]
    sdk: list[SdkMetric]


METRICS = st.builds(
    Metrics, st.lists(declared_metrics(), max_size=5), st.lists(SDK_METRICS, max_size=5)
)


@contextmanager
def recorded(metrics: Metrics, **settings: Any) -> Iterator[CapturedTelemetry]:
    """Capture telemetry into which all metrics have been recorded."""
    logging.disable(logging.CRITICAL)  # the SDK warns of every value that it refuses
    try:
        with capture("maps", namespace="atlas", **settings) as captured:
            for declared in metrics.declared:
                _record(captured, declared)
            for sdk in metrics.sdk:
                _measure(captured, sdk)
            yield captured
    finally:
        logging.disable(logging.NOTSET)


def _record(captured: CapturedTelemetry, metric: DeclaredMetric) -> None:
    recorder: Any = captured.telemetry.storage.recorder(metric.instrument)
    method = {"gauge": "set", "histogram": "record"}.get(metric.instrument.kind, "add")
    for value, given in metric.recordings:
        getattr(recorder, method)(value, **given)


def _measure(captured: CapturedTelemetry, metric: SdkMetric) -> None:
    assert captured.telemetry.metrics is not None
    meter = captured.telemetry.metrics.provider.get_meter(metric.scope)
    options: Any = {"unit": metric.unit, "description": metric.description}
    if metric.kind == "observed":
        observations = [Observation(value, given) for value, given in metric.measurements]
        meter.create_observable_counter(metric.name, [lambda _: observations], **options)
        return
    create, method = _SYNCHRONOUS[metric.kind]
    instrument = getattr(meter, create)(metric.name, **options)
    for value, given in metric.measurements:
        getattr(instrument, method)(value, given)


_SYNCHRONOUS = {
    "counter": ("create_counter", "add"),
    "updown": ("create_up_down_counter", "add"),
    "gauge": ("create_gauge", "set"),
    "histogram": ("create_histogram", "record"),
}
