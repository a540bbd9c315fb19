from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.logs.timestamps import timestamp

YEAR_2200 = 7_258_118_400_000_000


class TestTimestamp:
    @given(st.integers(-YEAR_2200, YEAR_2200))
    def test_moment_is_written_as_by_datetime(self, microseconds: int) -> None:
        """A moment before or after 1970 is written as by `datetime`, with six digits."""
        moment = microseconds / 1_000_000
        expected = datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")

        assert expected.replace("+00:00", "Z") == timestamp(moment)

    @pytest.mark.parametrize("moment", [0.999_999_6, 1])
    def test_fraction_that_rounds_up_belongs_to_next_second(self, moment: float) -> None:
        """A fraction that rounds up to a second belongs to the next second."""
        assert "1970-01-01T00:00:01.000000Z" == timestamp(moment)

    def test_current_time_lies_between_times_of_datetime(self) -> None:
        """The current time lies between two times of `datetime`, call after call."""
        for _ in range(100):
            before, said, after = datetime.now(UTC), timestamp(), datetime.now(UTC)

            assert before <= datetime.fromisoformat(said) <= after
