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
    def test_units(self, number: int, unit: str) -> None:
        """A duration is its number times the seconds of its unit."""
        seconds = Duration(f"{number}{unit}").seconds

        assert number * SECONDS[unit] == seconds

    @pytest.mark.parametrize(
        "text",
        ["", "5", "m", "0m", "05m", "-5m", "1.5h", "5 m", "5m\n", "1h30m", "5min", "1w", "500ms"],
    )
    def test_refused(self, text: str) -> None:
        """What is not one whole number and one unit is refused, with examples of what is."""
        with pytest.raises(DeclarationError, match=r"duration '.*': is not a number.*30s, 5m, 6h"):
            Duration(text)

    def test_of_duration(self) -> None:
        """A duration is taken as it is."""
        hour = Duration("1h")

        assert hour is Duration.of(hour)

    def test_of_text(self) -> None:
        """Text is read."""
        assert Duration("1h") == Duration.of("1h")


class TestWriting:
    @given(texts)
    def test_round_trip(self, text: str) -> None:
        """What a duration writes reads as the same duration."""
        duration = Duration(text)

        assert duration == Duration(str(duration))

    @given(texts)
    def test_shortest(self, text: str) -> None:
        """No text that reads as the duration is shorter than what it writes."""
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
    def test_examples(self, text: str, written: str) -> None:
        """The largest unit that divides it is written."""
        assert written == str(Duration(text))


class TestComparing:
    def test_equal(self) -> None:
        """Durations of one length are equal and hash alike, however they were written."""
        assert {Duration("60m")} == {Duration("1h"), Duration("3600s")}

    @given(texts, texts)
    def test_order(self, one: str, other: str) -> None:
        """Durations are ordered by length."""
        first, second = Duration(one), Duration(other)

        assert (first.seconds < second.seconds) == (first < second)
