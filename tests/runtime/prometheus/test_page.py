from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from otel_meta.runtime.prometheus.families import Head, SeriesFamily
from otel_meta.runtime.prometheus.formats import OPENMETRICS, TEXT, Format
from otel_meta.runtime.prometheus.page import render
from otel_meta.runtime.prometheus.samples import Buckets, Number

Faults = list[tuple[str, str]]


def family(name: str, kind: str = "gauge", label: str = "1", help: str = "") -> SeriesFamily:  # noqa: A002  # as it is called everywhere
    """A family with one series."""
    point = Buckets((1.0,), (1, 1), 2.0) if kind == "histogram" else Number(1.0, adds_up=True)
    return SeriesFamily(Head(name, kind, help), {(("a", label),): point})


def page(
    *families: SeriesFamily,
    written: Format = TEXT,
    told: Faults | None = None,
    names: tuple[str, ...] = (),
) -> str:
    """A page of them."""
    faults = [] if told is None else told
    pieces = render(families, written, lambda m, r, _: faults.append((m, r)), names)
    return b"".join(pieces).decode()


class TestNames:
    def test_one_name(self) -> None:
        """Families of one name and type are one, described as the first is; series add up."""
        told: Faults = []
        first, later = family("x", help="First."), family("x", help="Later.")

        assert '# HELP x First.\n# TYPE x gauge\nx{a="1"} 2.0\nx{a="2"} 1.0\n' == page(
            first, later, family("x", label="2"), told=told
        )
        assert [] == told

    @pytest.mark.parametrize(
        ("first", "later", "told"),
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
    @pytest.mark.parametrize("written", [TEXT, OPENMETRICS])
    def test_conflict(
        self, first: SeriesFamily, later: SeriesFamily, told: str, written: Format
    ) -> None:
        """Of two that cannot both be told apart, the first is shown, and the later told of."""
        faults: Faults = []

        assert page(first, written=written) == page(first, later, written=written, told=faults)
        assert [(told, "conflict")] == faults

    def test_no_conflict(self) -> None:
        """Names that merely look alike are no conflict."""
        names = {"x", "x_total_y", "x_2"}
        told: Faults = []
        text = page(*map(family, sorted(names)), told=told)

        assert names == {line.split()[2] for line in text.splitlines() if "# TYPE" in line}
        assert [] == told


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
    def test_name(self, name: str, shown: str) -> None:
        """A name chooses its family, or that of the samples which bear it."""
        families = (family("h", "histogram"), family("c", "counter"), family("g"))
        text = page(*families, names=(name,))

        assert shown == "".join(line.split()[2] for line in text.splitlines() if "# TYPE" in line)

    def test_names(self) -> None:
        """Several names choose several, and OpenMetrics ends as it should with none."""
        families = (family("a"), family("b"), family("c"))

        assert page(families[0], families[2]) == page(*families, names=("c", "a"))
        assert "# EOF\n" == page(*families, names=("other",), written=OPENMETRICS)


class Broken(SeriesFamily):
    """One that fails in the middle."""

    def pieces(self, written: Format) -> Iterator[str]:
        """A line, and no further."""
        yield "x 1"
        raise RuntimeError("broken")


class TestFaults:
    @pytest.mark.parametrize("written", [TEXT, OPENMETRICS])
    def test_broken(self, written: Format) -> None:
        """A family that fails is left out whole and told of; the others are shown."""
        told: Faults = []
        broken = Broken(Head("x", "gauge"), {})

        assert page(family("a"), family("b"), written=written) == page(
            family("a"), broken, family("b"), written=written, told=told
        )
        assert [("x", "not exposed")] == told

    def test_surrogates(self) -> None:
        """Text that UTF-8 cannot hold is shown as far as it can."""
        assert "# HELP x ?." in page(family("x", help="\ud800."))


class TestHead:
    def test_help(self) -> None:
        """A description is one line, whatever it holds; an empty one is none."""
        text, openmetrics = (
            page(family("x", help='a\\b\n"c"'), written=each).splitlines()[0]
            for each in (TEXT, OPENMETRICS)
        )

        assert r'# HELP x a\\b\n"c"' == text
        assert r"# HELP x a\\b\n\"c\"" == openmetrics
        assert "# HELP" not in page(family("x"))

    def test_info(self) -> None:
        """A type of OpenMetrics' is a gauge in plain text."""
        assert ["# TYPE target_info gauge", 'target_info{a="1"} 1.0'] == page(
            family("target", "info")
        ).splitlines()
        assert "# TYPE target info" in page(family("target", "info"), written=OPENMETRICS)


class TestTurns:
    def test_pauses(self) -> None:
        """A long page lets other threads run, again and again; a short one does not stop."""
        pauses: list[float] = []
        series = {(("a", str(n)),): Number(math.pi, adds_up=True) for n in range(50_000)}
        long = SeriesFamily(Head("x", "gauge"), series)
        list(render([long], TEXT, lambda *_: None, pause=pauses.append))
        after_long = len(pauses)
        list(render([family("y")], TEXT, lambda *_: None, pause=pauses.append))

        assert after_long > 5
        assert after_long == len(pauses)
