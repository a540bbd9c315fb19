from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from otel_meta.runtime.prometheus.formats import OPENMETRICS, TEXT
from otel_meta.runtime.prometheus.lines import HistogramLines, number_text, value_line
from otel_meta.runtime.recording.exemplars import Exemplar

EXEMPLAR = Exemplar(0.25, 1_700_000_000_007_999_999, 0xABC, 0xDEF)


class TestNumber:
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
    def test_known(self, value: float, text: str) -> None:
        """A number is written in full, and what is none as both formats have it."""
        assert text == number_text(value)

    @given(st.floats(allow_nan=False))
    def test_any(self, value: float) -> None:
        """Nothing of it is lost."""
        assert value == float(number_text(value))


class TestValue:
    def test_bare(self) -> None:
        """A series without labels has no braces."""
        assert "x 1.0\n" == value_line("x", "", 1.0)

    def test_exemplar(self) -> None:
        """An exemplar has its trace and span in hexadecimal, and its time in seconds."""
        ids = f'trace_id="{"0" * 29}abc",span_id="{"0" * 13}def"'

        assert f'x{{a="b"}} 2.0 # {{{ids}}} 0.25 1700000000.007\n' == value_line(
            "x", 'a="b"', 2.0, EXEMPLAR
        )


class TestHistogram:
    def test_cumulative(self) -> None:
        """Each bucket holds those before it, the last one all, and it names its bound."""
        lines = HistogramLines("x", (0.5, 1.0)).of('a="b"', [1, 2, 3], 4.5, TEXT, {})

        assert [
            'x_bucket{a="b",le="0.5"} 1',
            'x_bucket{a="b",le="1.0"} 3',
            'x_bucket{a="b",le="+Inf"} 6',
            'x_count{a="b"} 6',
            'x_sum{a="b"} 4.5',
        ] == lines.splitlines()

    def test_bare(self) -> None:
        """A series without labels has its buckets' bounds alone."""
        lines = HistogramLines("x", (0.5,)).of("", [1, 0], 0.5, TEXT, {})

        assert ['x_bucket{le="0.5"} 1', 'x_bucket{le="+Inf"} 1', "x_count 1", "x_sum 0.5"] == (
            lines.splitlines()
        )

    @pytest.mark.parametrize("body", ['a="%d %s"', 'a="{\0}"', 'a="\0,"'])
    def test_pattern(self, body: str) -> None:
        """Labels that look like a pattern stay as they are."""
        lines = HistogramLines("x", (0.5,)).of(body, [1, 0], 0.5, TEXT, {})

        assert 4 == lines.count(body)

    @pytest.mark.parametrize(("bounds", "total"), [((-1.0, 1.0), 1.0), ((1.0, 2.0), -1.0)])
    def test_negative(self, bounds: tuple[float, ...], total: float) -> None:
        """A sum that can go down is no sum to OpenMetrics, which then has no count; text does."""
        lines = HistogramLines("x", bounds)
        text, openmetrics = (lines.of("", [1, 0, 0], total, f, {}) for f in (TEXT, OPENMETRICS))

        assert ["x_count 1", f"x_sum {total}"] == text.splitlines()[3:]
        assert text.splitlines()[:3] == openmetrics.splitlines()

    def test_exemplars(self) -> None:
        """Each bucket has its own, in OpenMetrics alone."""
        lines = HistogramLines("x", (0.5,))
        page = (
            f"# TYPE x histogram\n{lines.of('', [1, 0], 0.25, OPENMETRICS, {0: EXEMPLAR})}# EOF\n"
        )
        (family,) = parse(page)

        assert [0.25, None, None, None] == [
            sample.exemplar and sample.exemplar.value for sample in family.samples
        ]
        assert "#" not in lines.of("", [1, 0], 0.25, TEXT, {0: EXEMPLAR})
