from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.prometheus.text_format import (
    OPENMETRICS,
    TEXT,
    SeriesText,
    format_float,
    number_lines,
)
from otel_meta.runtime.recording.exemplars import Exemplar

EXEMPLAR = Exemplar(0.25, 1_700_000_000_007_999_999, 0xABC, 0xDEF)


class TestFormatFloat:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (1.0, "1.0"),
            (math.inf, "+Inf"),
            (-math.inf, "-Inf"),
            (math.nan, "NaN"),
            (1e16, "1e+16"),
            (-0.0, "-0.0"),
        ],
    )
    def test_float_is_written_in_syntax_of_both_formats(self, value: float, text: str) -> None:
        """A float is written in the syntax of both formats."""
        assert text == format_float(value)

    @given(st.floats(allow_nan=False))
    def test_float_survives_conversion_to_text(self, value: float) -> None:
        """A float survives the conversion to text."""
        assert value == float(format_float(value))


class TestSampleLine:
    def test_sample_without_labels_has_no_braces(self) -> None:
        """A sample without labels has no braces."""
        assert "x 1.0\n" == number_lines("x", [SeriesText("")], ["1.0"], (), TEXT)

    def test_exemplar_has_ids_in_hexadecimal_and_time_in_seconds(self) -> None:
        """An exemplar has ids in hexadecimal and a time in seconds."""
        ids = f'trace_id="{"0" * 29}abc",span_id="{"0" * 13}def"'

        assert f'x{{a="b"}} 2.0 # {{{ids}}} 0.25 1700000000.007\n' == number_lines(
            "x", [SeriesText('a="b"')], ["2.0"], [EXEMPLAR], OPENMETRICS
        )
