"""Catalogues of any kind, with anything recorded into them, and anything that libraries measure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from hypothesis import strategies as st
from opentelemetry.metrics import Observation
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_meta import Counter, Gauge, Histogram, UpDownCounter, labels
from otel_meta.errors import DeclarationError
from otel_meta.model.names import check_name
from otel_meta.testing import CapturedTelemetry, capture

TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"

WORDS = st.text(st.characters(exclude_categories=()), max_size=8)
"""Lone surrogates too."""

NUMBERS = st.floats() | st.integers() | st.sampled_from([10**400, -0.0, True])


def _is_name(name: str) -> bool:
    try:
        check_name(name, "")
    except DeclarationError:
        return False
    return True


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,2}(?:[._][a-z0-9]{1,2}){0,2}", fullmatch=True).filter(
    _is_name
) | st.sampled_from(["app", "app.count", "app.created", "app.bucket", "app.sum", "le"])
KEYS = st.from_regex(r"[a-z][a-z0-9]{0,3}(?:_[a-z0-9]{1,2})?", fullmatch=True).filter(
    lambda key: key not in ("le", "job", "in", "is", "if", "as", "or")
)


class Declared(NamedTuple):
    """An instrument, and what is recorded into it."""

    instrument: Any
    recordings: list[tuple[float, dict[str, str]]]


@st.composite
def declared(draw: st.DrawFn) -> Declared:
    """Any instrument that can be declared, with any labels and values."""
    keys = draw(st.lists(KEYS, max_size=2, unique=True))
    taken = labels(type("Taken", (), {"__annotations__": dict.fromkeys(keys, str)}))
    make = draw(st.sampled_from([Counter, UpDownCounter, Gauge, Histogram]))
    bounds = draw(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=4, unique=True))
    more = {"buckets": tuple(sorted(bounds))} if make is Histogram else {}
    description = f"{draw(WORDS)}."
    instrument = make(draw(NAMES), description, taken, unit=draw(_UNITS), **more)
    values = st.fixed_dictionaries(dict.fromkeys(keys, WORDS))
    return Declared(instrument, draw(st.lists(st.tuples(NUMBERS, values), max_size=6)))


_UNITS = st.sampled_from(["", "By", "{thing}", "%"])


class Measured(NamedTuple):
    """What a library measures through the SDK."""

    scope: str
    kind: str
    name: str
    unit: str
    description: str
    measurements: list[tuple[float, dict[str, Any]]]


MEASURED = st.builds(
    Measured,
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


class Anything(NamedTuple):
    """A catalogue, and the libraries beside it."""

    catalogue: list[Declared]
    foreign: list[Measured]


ANYTHING = st.builds(Anything, st.lists(declared(), max_size=5), st.lists(MEASURED, max_size=5))


@contextmanager
def recorded(anything: Anything, **settings: Any) -> Iterator[CapturedTelemetry]:
    """Telemetry into which everything has been recorded."""
    logging.disable(logging.CRITICAL)  # of the SDK, which says what it does not take
    try:
        with capture("maps", namespace="atlas", **settings) as captured:
            for each in anything.catalogue:
                _record(captured, each)
            for each in anything.foreign:
                _measure(captured, each)
            yield captured
    finally:
        logging.disable(logging.NOTSET)


def _record(captured: CapturedTelemetry, each: Declared) -> None:
    recorder: Any = captured.telemetry.storage.recorder(each.instrument)
    verb = {"gauge": "set", "histogram": "record"}.get(each.instrument.kind, "add")
    for value, given in each.recordings:
        getattr(recorder, verb)(value, **given)


def _measure(captured: CapturedTelemetry, each: Measured) -> None:
    assert captured.telemetry.metrics is not None
    meter = captured.telemetry.metrics.provider.get_meter(each.scope)
    described = {"unit": each.unit, "description": each.description}
    if each.kind == "observed":
        seen = [Observation(value, given) for value, given in each.measurements]
        meter.create_observable_counter(each.name, [lambda _: seen], **described)
        return
    create, verb = _SYNCHRONOUS[each.kind]
    instrument = getattr(meter, create)(each.name, **described)
    for value, given in each.measurements:
        getattr(instrument, verb)(value, given)


_SYNCHRONOUS = {
    "counter": ("create_counter", "add"),
    "updown": ("create_up_down_counter", "add"),
    "gauge": ("create_gauge", "set"),
    "histogram": ("create_histogram", "record"),
}


def families(page: str, accept: str) -> list[Any]:
    """The families of a page, as the parser of its format reads them; it raises if it cannot."""
    parse: Callable[[str], Iterator[Any]] = (
        parse_openmetrics if "openmetrics" in accept else parse_text
    )
    return list(parse(page))


def samples(page: str, accept: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The values of a page by name and labels; a series that comes twice is an error."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in families(page, accept):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found
