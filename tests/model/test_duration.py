from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Duration
from otel_meta.errors import DeclarationError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

texts = st.builds("{}{}".format, st.integers(1, 100_000), st.sampled_from("smhd"))


class TestReading:
    @given(number=st.integers(1, 100_000), unit=st.sampled_from("smhd"))
    def test_seconds_of_duration_are_number_times_seconds_of_unit(
        self, number: int, unit: str
    ) -> None:
        """The seconds of a duration are the number times the seconds of the unit."""
        seconds = Duration(f"{number}{unit}").seconds

        assert number * SECONDS[unit] == seconds

    @pytest.mark.parametrize(
        "text",
        ["", "5", "m", "0m", "05m", "-5m", "1.5h", "5 m", "5m\n", "1h30m", "5min", "1w", "500ms"],
    )
    def test_text_without_one_whole_number_and_one_unit_is_refused(self, text: str) -> None:
        """Text without exactly one whole number and one unit is refused with examples."""
        with pytest.raises(
            DeclarationError,
            match=r"duration '.*': is not a whole number.*write it as (30s, |\"[1-9]\d*[smhd]\"$)",
        ):
            Duration(text)

    def test_bare_number_is_refused_with_right_form(self) -> None:
        """A number without a unit is refused with the right form, not with an error of `re`."""
        with pytest.raises(DeclarationError, match=r"duration 30: .*; write it as 30s"):
            Duration(30)  # type: ignore[arg-type]

    def test_duration_is_returned_unchanged(self) -> None:
        """A duration is returned unchanged."""
        hour = Duration("1h")

        assert hour is Duration.of(hour)

    def test_text_is_parsed(self) -> None:
        """Text is parsed."""
        assert Duration("1h") == Duration.of("1h")


class TestWriting:
    @given(texts)
    def test_text_of_duration_parses_as_same_duration(self, text: str) -> None:
        """The text of a duration parses as the same duration."""
        duration = Duration(text)

        assert duration == Duration(str(duration))

    @given(texts)
    def test_text_of_duration_is_the_shortest(self, text: str) -> None:
        """The text of a duration is the shortest of all texts that parse as the duration."""
        duration = Duration(text)
        others = [
            f"{duration.seconds // seconds}{unit}"
            for unit, seconds in SECONDS.items()
            if duration.seconds % seconds == 0
        ]

        assert min(map(len, others)) == len(str(duration))

    @pytest.mark.parametrize(
        ("text", "written"), [("60s", "1m"), ("90m", "90m"), ("120m", "2h"), ("168h", "7d")]
    )
    def test_text_has_largest_unit_that_divides_duration(self, text: str, written: str) -> None:
        """The text has the largest unit that divides the duration."""
        assert written == str(Duration(text))


class TestComparing:
    def test_durations_of_one_length_are_equal_and_have_one_hash(self) -> None:
        """Durations of one length are equal and have one hash."""
        assert {Duration("60m")} == {Duration("1h"), Duration("3600s")}

    @given(texts, texts)
    def test_durations_are_ordered_by_length(self, one: str, other: str) -> None:
        """Durations are ordered by length."""
        first, second = Duration(one), Duration(other)

        assert (first.seconds < second.seconds) == (first < second)
