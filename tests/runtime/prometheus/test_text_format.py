from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from otel_meta.runtime.prometheus.text_format import (
    OPENMETRICS,
    TEXT,
    HistogramTemplate,
    SeriesText,
    format_float,
    number_line,
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
        assert "x 1.0\n" == number_line("x", SeriesText(""), "1.0", TEXT)

    def test_exemplar_has_ids_in_hexadecimal_and_time_in_seconds(self) -> None:
        """An exemplar has ids in hexadecimal and a time in seconds."""
        ids = f'trace_id="{"0" * 29}abc",span_id="{"0" * 13}def"'

        assert f'x{{a="b"}} 2.0 # {{{ids}}} 0.25 1700000000.007\n' == number_line(
            "x", SeriesText('a="b"'), "2.0", OPENMETRICS, EXEMPLAR
        )


class TestHistogramTemplate:
    def test_bucket_counts_are_cumulative_and_labelled_by_their_bounds(self) -> None:
        """Bucket counts are cumulative and labelled by their bounds."""
        lines = HistogramTemplate("x", (0.5, 1.0)).render(
            SeriesText('a="b"'), [1, 2, 3], "4.5", TEXT, {}
        )

        assert [
            'x_bucket{a="b",le="0.5"} 1',
            'x_bucket{a="b",le="1.0"} 3',
            'x_bucket{a="b",le="+Inf"} 6',
            'x_count{a="b"} 6',
            'x_sum{a="b"} 4.5',
        ] == lines.splitlines()

    def test_histogram_without_labels_has_label_le_alone(self) -> None:
        """A histogram without labels has the label le alone."""
        lines = HistogramTemplate("x", (0.5,)).render(SeriesText(""), [1, 0], "0.5", TEXT, {})

        assert ['x_bucket{le="0.5"} 1', 'x_bucket{le="+Inf"} 1', "x_count 1", "x_sum 0.5"] == (
            lines.splitlines()
        )

    @pytest.mark.parametrize("labels", ['a="%d %s"', 'a="{\0}"', 'a="\0,"'])
    def test_labels_are_no_template(self, labels: str) -> None:
        """Labels that look like a template are unchanged."""
        lines = HistogramTemplate("x", (0.5,)).render(SeriesText(labels), [1, 0], "0.5", TEXT, {})

        assert 4 == lines.count(labels)

    @pytest.mark.parametrize(("bounds", "total"), [((-1.0, 1.0), 1.0), ((1.0, 2.0), -1.0)])
    def test_openmetrics_has_no_decreasing_sum(
        self, bounds: tuple[float, ...], total: float
    ) -> None:
        """OpenMetrics has neither sum nor count where the sum can decrease; plain text has."""
        template = HistogramTemplate("x", bounds)
        text, openmetrics = (
            template.render(SeriesText(""), [1, 0, 0], str(total), each, {})
            for each in (TEXT, OPENMETRICS)
        )

        assert ["x_count 1", f"x_sum {total}"] == text.splitlines()[3:]
        assert text.splitlines()[:3] == openmetrics.splitlines()

    def test_bucket_has_its_own_exemplar_in_openmetrics(self) -> None:
        """A bucket has its own exemplar in OpenMetrics."""
        template = HistogramTemplate("x", (0.5,))
        lines = template.render(SeriesText(""), [1, 0], "0.25", OPENMETRICS, {0: EXEMPLAR})
        page = f"# TYPE x histogram\n{lines}# EOF\n"
        (family,) = parse(page)  # type: ignore[no-untyped-call]

        assert [0.25, None, None, None] == [
            sample.exemplar and sample.exemplar.value for sample in family.samples
        ]

    def test_plain_text_has_no_exemplars(self) -> None:
        """The plain text format has no exemplars."""
        template = HistogramTemplate("x", (0.5,))

        assert "#" not in template.render(SeriesText(""), [1, 0], "0.25", TEXT, {0: EXEMPLAR})
