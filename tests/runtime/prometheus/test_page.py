from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from otel_meta.runtime.prometheus.attributes import Labels
from otel_meta.runtime.prometheus.families import Metadata, SeriesFamily
from otel_meta.runtime.prometheus.metric_points import HistogramPoint, NumberPoint, Point
from otel_meta.runtime.prometheus.page import render_page
from otel_meta.runtime.prometheus.text_format import OPENMETRICS, TEXT, TextFormat

Faults = list[tuple[str, str]]


def family(name: str, kind: str = "gauge", label: str = "1", help: str = "") -> SeriesFamily:  # noqa: A002  # as in Metadata
    """Return a family with one series."""
    point = (
        HistogramPoint((1.0,), (1, 1), 2.0)
        if kind == "histogram"
        else NumberPoint(1.0, additive=True)
    )
    return SeriesFamily(Metadata(name, kind, help), {(("a", label),): point})


def page(
    *families: SeriesFamily,
    text_format: TextFormat = TEXT,
    faults: Faults | None = None,
    names: tuple[str, ...] = (),
) -> str:
    """Render a page of families."""
    reported = [] if faults is None else faults
    return render_page(
        families, text_format, lambda source, reason, _: reported.append((source, reason)), names
    ).decode()


class TestMerge:
    def test_families_of_equal_name_and_type_are_merged(self) -> None:
        """Families of equal name and type are merged and series added up."""
        faults: Faults = []
        first, later = family("x", help="First."), family("x", help="Later.")

        assert '# HELP x First.\n# TYPE x gauge\nx{a="1"} 2.0\nx{a="2"} 1.0\n' == page(
            first, later, family("x", label="2"), faults=faults
        )
        assert [] == faults

    @pytest.mark.parametrize(
        ("first", "later", "reported"),
        [
            (family("x"), family("x", "counter"), "x"),
            (family("x", "counter"), family("x"), "x"),
            (family("c_total"), family("c", "counter"), "c"),
            (family("c", "counter"), family("c_total"), "c_total"),
            (family("h_count"), family("h", "histogram"), "h"),
            (family("h", "histogram"), family("h_bucket"), "h_bucket"),
            (family("h", "histogram"), family("h_count", "counter"), "h_count"),
            (family("c", "counter"), family("c_created"), "c_created"),
        ],
    )
    @pytest.mark.parametrize("text_format", [TEXT, OPENMETRICS])
    def test_first_of_two_conflicting_families_is_shown(
        self, first: SeriesFamily, later: SeriesFamily, reported: str, text_format: TextFormat
    ) -> None:
        """The first of two conflicting families is shown, the later reported."""
        faults: Faults = []

        assert page(first, text_format=text_format) == page(
            first, later, text_format=text_format, faults=faults
        )
        assert [(reported, "conflict")] == faults

    def test_similar_names_are_no_conflict(self) -> None:
        """Similar names are no conflict."""
        names = {"x", "x_total_y", "x_2"}
        faults: Faults = []
        text = page(*map(family, sorted(names)), faults=faults)

        assert names == {line.split()[2] for line in text.splitlines() if "# TYPE" in line}
        assert [] == faults


class TestFilter:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("h", "h"),
            ("h_bucket", "h"),
            ("h_sum", "h"),
            ("c", "c_total"),
            ("c_total", "c_total"),
            ("g", "g"),
            ("other", ""),
        ],
    )
    def test_name_of_family_or_of_its_samples_selects_family(self, name: str, shown: str) -> None:
        """A name of a family or of its samples selects the family."""
        families = (family("h", "histogram"), family("c", "counter"), family("g"))
        text = page(*families, names=(name,))

        assert shown == "".join(line.split()[2] for line in text.splitlines() if "# TYPE" in line)

    def test_several_names_select_several_families(self) -> None:
        """Several names select several families."""
        families = (family("a"), family("b"), family("c"))

        assert page(families[0], families[2]) == page(*families, names=("c", "a"))

    def test_openmetrics_page_without_families_ends_with_eof(self) -> None:
        """An OpenMetrics page without families is the EOF line."""
        assert "# EOF\n" == page(family("a"), names=("other",), text_format=OPENMETRICS)


class FailingFamily(SeriesFamily):
    """A family with an error after the first line."""

    def chunks(self, text_format: TextFormat) -> Iterator[str]:
        """Yield many lines and fail."""
        yield "x 1\n" * 100
        raise RuntimeError("broken")


class TestFaults:
    @pytest.mark.parametrize("text_format", [TEXT, OPENMETRICS])
    def test_family_that_fails_is_left_out_and_reported(self, text_format: TextFormat) -> None:
        """A family that fails is left out and reported."""
        faults: Faults = []
        broken = FailingFamily(Metadata("x", "gauge"), {})
        others = page(family("a"), family("b"), text_format=text_format)

        assert others == page(
            family("a"), broken, family("b"), text_format=text_format, faults=faults
        )
        assert [("x", "not exposed")] == faults
        assert others == page(family("a"), family("b"), broken, text_format=text_format)

    def test_lone_surrogates_become_question_marks(self) -> None:
        """Lone surrogates become question marks."""
        assert "# HELP x ?." in page(family("x", help="\ud800."))


class TestMetadata:
    def test_description_is_escaped_to_single_line(self) -> None:
        """A description is escaped to a single line."""
        text, openmetrics = (
            page(family("x", help='a\\b\n"c"'), text_format=each).splitlines()[0]
            for each in (TEXT, OPENMETRICS)
        )

        assert r'# HELP x a\\b\n"c"' == text
        assert r"# HELP x a\\b\n\"c\"" == openmetrics
        assert "# HELP" not in page(family("x"))

    def test_info_family_is_gauge_in_plain_text(self) -> None:
        """An info family is a gauge in plain text."""
        assert ["# TYPE target_info gauge", 'target_info{a="1"} 1.0'] == page(
            family("target", "info")
        ).splitlines()
        assert "# TYPE target info" in page(family("target", "info"), text_format=OPENMETRICS)


class TestGil:
    def test_long_page_yields_gil_again_and_again(self) -> None:
        """A long page yields the GIL again and again."""
        pauses: list[float] = []
        series: dict[Labels, Point] = {
            (("a", str(n)),): NumberPoint(math.pi, additive=True) for n in range(50_000)
        }
        long = SeriesFamily(Metadata("x", "gauge"), series)
        render_page([long], TEXT, lambda *_: None, pause=pauses.append)

        assert len(pauses) > 5

    def test_short_page_does_not_pause(self) -> None:
        """A short page does not yield the GIL, except where the machine is busy."""
        pauses: list[list[float]] = [[] for _ in range(50)]
        for each in pauses:
            render_page([family("y")], TEXT, lambda *_: None, pause=each.append)

        assert [] in pauses
