from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.cli.slo.terminal_marks import ASCII, UNICODE, Marks, marks_for

BOTH = pytest.mark.parametrize("marks", [UNICODE, ASCII], ids=["unicode", "ascii"])
shares = st.floats(-3, 3)


class TestBar:
    @BOTH
    @given(shares, st.integers(1, 30))
    def test_bar_has_its_width(self, marks: Marks, share: float, width: int) -> None:
        """A bar of any share has so many cells."""
        assert width == len(marks.bar(share, width))

    @BOTH
    @given(st.floats(0, 1, exclude_min=True, exclude_max=True))
    def test_only_all_fills_the_bar_and_only_nothing_leaves_it_empty(
        self, marks: Marks, share: float
    ) -> None:
        """A share between 0 and 1 is neither an empty nor a full bar."""
        assert marks.bar(share, 8) not in (marks.bar(0.0, 8), marks.bar(1.0, 8))

    @BOTH
    @given(st.tuples(shares, shares).map(sorted))
    def test_larger_share_is_no_shorter_bar(self, marks: Marks, pair: list[float]) -> None:
        """A larger share has at least as many filled cells."""
        fewer, more = (marks.bar(share, 8).count(marks.empty) for share in pair)

        assert fewer >= more

    @pytest.mark.parametrize(
        ("share", "shown"),
        [(-0.5, "░░░░"), (0.0, "░░░░"), (0.5, "██░░"), (0.6, "██▍░"), (1, "████")],
    )
    def test_bar_is_filled_to_its_share(self, share: float, shown: str) -> None:
        """A bar is filled to its share, in eighths of a cell."""
        assert shown == UNICODE.bar(share, 4)


class TestLine:
    @BOTH
    @given(st.lists(shares, max_size=200), st.integers(1, 20))
    def test_line_is_no_wider_than_asked(
        self, marks: Marks, values: list[float], width: int
    ) -> None:
        """A line has a character for each value, up to its width."""
        assert min(len(values), width) == len(marks.line(values, width))

    def test_line_shows_the_last_value_of_each_part(self) -> None:
        """A line falls as its values do, and ends with the last one."""
        assert "▇▅▃▁" == UNICODE.line([1, 0.9, 0.7, 0.6, 0.4, 0.3, 0.1, -2.0], 4)


class TestMarksFor:
    @pytest.mark.parametrize(
        ("encoding", "marks"),
        [("utf-8", UNICODE), ("ascii", ASCII), ("latin-1", ASCII), ("cp437", ASCII), ("x", ASCII)],
    )
    def test_encoding_without_the_characters_gets_ascii(self, encoding: str, marks: Marks) -> None:
        """An encoding that lacks one of the characters gets those of ASCII."""
        assert marks == marks_for(encoding)
