"""Answers of any form: read as a whole, or refused by one kind of error."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.fleet.answers import Sample, WrongAnswer, samples_of, series_of
from tests.fleet.http_answers import answer

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("metric", "value", "values", "status", "a")), inner)
    ),
    max_leaves=10,
)


@given(result=values, warnings=values, kind=st.sampled_from(("vector", "matrix", "scalar")))
def test_answer_of_any_form_is_read_or_refused(result: Any, warnings: Any, kind: str) -> None:
    """An answer of any form is read, or refused by one kind of error."""
    body = answer(result, kind, warnings=warnings)
    for read in (samples_of, series_of):
        with suppress(WrongAnswer):
            read(body)


@given(body=st.binary(max_size=50) | values.map(lambda value: json.dumps(value).encode()))
def test_bytes_of_any_form_are_refused(body: bytes) -> None:
    """Bytes that are no answer are refused."""
    with pytest.raises(WrongAnswer):
        samples_of(body)


def test_time_without_end_is_refused() -> None:
    """A sample at an infinite time is refused."""
    series = {"metric": {}, "values": [[float("inf"), "1"]]}
    with pytest.raises(WrongAnswer):
        series_of(answer([series], "matrix"))


def test_endless_nesting_is_refused() -> None:
    """A body of brackets alone is refused."""
    with pytest.raises(WrongAnswer):
        samples_of(b"[" * 100_000)


def test_values_that_are_no_numbers_are_read() -> None:
    """NaN and the infinities are values."""
    (sample,) = samples_of(answer([{"metric": {}, "value": [1, "+Inf"]}]))

    assert Sample({}, 1.0, float("inf")) == sample
