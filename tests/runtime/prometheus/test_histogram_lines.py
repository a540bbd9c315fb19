from __future__ import annotations

from collections.abc import Mapping

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from otel_meta.runtime.prometheus.histogram_lines import HistogramTemplate
from otel_meta.runtime.prometheus.text_format import (
    OPENMETRICS,
    OPENMETRICS2,
    TEXT,
    SeriesText,
    TextFormat,
)
from otel_meta.runtime.recording.exemplars import Exemplar

EXEMPLAR = Exemplar(0.25, 1_700_000_000_007_999_999, 0xABC, 0xDEF)


def render(
    bounds: tuple[float, ...],
    labels: str,
    numbers: tuple[float, ...],
    text_format: TextFormat,
    exemplars: Mapping[int, Exemplar] | None = None,
) -> str:
    """Render a single series."""
    template = HistogramTemplate("x", bounds)
    return template.render([SeriesText(labels)], [numbers], [exemplars or {}], text_format)


class TestLines:
    def test_bucket_counts_are_cumulative_and_labelled_by_their_bounds(self) -> None:
        """Bucket counts are cumulative and labelled by their bounds."""
        lines = render((0.5, 1.0), 'a="b"', (1.0, 2.0, 3.0, 4.5), TEXT)

        assert [
            'x_bucket{a="b",le="0.5"} 1',
            'x_bucket{a="b",le="1.0"} 3',
            'x_bucket{a="b",le="+Inf"} 6',
            'x_count{a="b"} 6',
            'x_sum{a="b"} 4.5',
        ] == lines.splitlines()

    def test_histogram_without_labels_has_label_le_alone(self) -> None:
        """A histogram without labels has the label le alone."""
        lines = render((0.5,), "", (1.0, 0.0, 0.5), TEXT)

        assert ['x_bucket{le="0.5"} 1', 'x_bucket{le="+Inf"} 1', "x_count 1", "x_sum 0.5"] == (
            lines.splitlines()
        )

    @pytest.mark.parametrize("labels", ['a="%d %s"', 'a="{\0}"', 'a="\0,"'])
    def test_labels_are_no_template(self, labels: str) -> None:
        """Labels that look like a template are unchanged."""
        lines = render((0.5,), labels, (1.0, 0.0, 0.5), TEXT)

        assert 4 == lines.count(labels)

    @pytest.mark.parametrize(("bounds", "total"), [((-1.0, 1.0), 1.0), ((1.0, 2.0), -1.0)])
    def test_openmetrics_has_no_decreasing_sum(
        self, bounds: tuple[float, ...], total: float
    ) -> None:
        """OpenMetrics has neither sum nor count where the sum can decrease; plain text has."""
        text, openmetrics = (
            render(bounds, "", (1.0, 0.0, 0.0, total), each) for each in (TEXT, OPENMETRICS)
        )

        assert ["x_count 1", f"x_sum {total}"] == text.splitlines()[3:]
        assert text.splitlines()[:3] == openmetrics.splitlines()

    def test_bucket_has_its_own_exemplar_in_openmetrics(self) -> None:
        """A bucket has its own exemplar in OpenMetrics."""
        lines = render((0.5,), "", (1.0, 0.0, 0.25), OPENMETRICS, {0: EXEMPLAR})
        page = f"# TYPE x histogram\n{lines}# EOF\n"
        (family,) = parse(page)  # type: ignore[no-untyped-call]

        assert [0.25, None, None, None] == [
            sample.exemplar and sample.exemplar.value for sample in family.samples
        ]

    def test_plain_text_has_no_exemplars(self) -> None:
        """The plain text format has no exemplars."""
        assert "#" not in render((0.5,), "", (1.0, 0.0, 0.25), TEXT, {0: EXEMPLAR})

    @pytest.mark.parametrize("text_format", [TEXT, OPENMETRICS, OPENMETRICS2], ids=str)
    def test_series_rendered_together_have_lines_of_each_alone(
        self, text_format: TextFormat
    ) -> None:
        """Series that are rendered together have the lines that each has alone."""
        template = HistogramTemplate("x", (0.5, 1.0))
        series = [
            SeriesText('a="1"', 7 * 10**9, " st@7.000"),
            SeriesText(""),
            SeriesText('a="3"', 8 * 10**9, " st@8.000"),
        ]
        numbers = [(1.0, 2.0, 3.0, 4.5), (0.0, 0.0, 1.0, -7.0), (5.0, 1.0, 0.0, 0.25)]
        exemplars = [{}, {2: EXEMPLAR}, {0: EXEMPLAR, 1: EXEMPLAR}]
        alone = [
            template.render([one], [its], [shown], text_format)
            for one, its, shown in zip(series, numbers, exemplars, strict=True)
        ]

        assert "".join(alone) == template.render(series, numbers, exemplars, text_format)

    @pytest.mark.parametrize("first", [0, 1])
    @pytest.mark.parametrize("count", [2**53, 10**16, 2**70])
    def test_large_count_is_written_in_full(self, first: int, count: int) -> None:
        """A count that a float writes with an exponent is written in full."""
        lines = render((0.5,), "", (first * float(count), (1 - first) * float(count), 1.0), TEXT)

        assert f'x_bucket{{le="0.5"}} {first * count}\n' in lines
        assert f"x_count {count}\n" in lines

    def test_count_of_unbounded_bucket_has_no_exemplar(self) -> None:
        """The exemplar of the unbounded bucket is in the line of the bucket, not of the count."""
        lines = render((0.5,), "", (0.0, 1.0, 0.25), OPENMETRICS, {1: EXEMPLAR}).splitlines()

        assert [False, True, False, False] == ["#" in line for line in lines]
