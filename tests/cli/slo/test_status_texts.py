from __future__ import annotations

import pytest

from otel_meta.cli.slo.status_texts import (
    count_text,
    exhausted_text,
    fastest_text,
    percent_text,
    rate_text,
    service_text,
    time_text,
)
from tests.cli.slo.status_rows import status_row


class TestTimeText:
    @pytest.mark.parametrize(
        ("seconds", "shown"),
        [
            (0, "0 s"),
            (51.84, "51 s"),
            (5160, "86 min"),
            (36_000, "10 h"),
            (2_592_000, "30 d"),
            (None, "-"),
        ],
    )
    def test_time_is_shown_in_one_unit(self, seconds: float | None, shown: str) -> None:
        """A time is shown in one unit; without a time, as a dash."""
        assert shown == time_text(seconds)


class TestPercentText:
    @pytest.mark.parametrize(
        ("share", "shown"),
        [
            (1.0, "100.0%"),
            (0.2995, "29.9%"),
            (0.0, "0.0%"),
            (-0.25, "-25.0%"),
            (-9.99, "-999.0%"),
            (-10.0, "-10 x"),
            (-268.6, "-269 x"),
            (None, "-"),
        ],
    )
    def test_share_is_percentage_and_multiple_from_10_downward(
        self, share: float | None, shown: str
    ) -> None:
        """A share is a percentage, and a multiple from -10 downward."""
        assert shown == percent_text(share)


class TestOtherTexts:
    def test_time_slices_are_counted_in_seconds_with_their_unit(self) -> None:
        """Time slices are counted in seconds with their unit, and events without one."""
        assert ("12 s", "12") == (count_text(12.4, "seconds"), count_text(12.4, "events"))

    @pytest.mark.parametrize(
        ("rate", "shown"), [(0.04, "0.0"), (14.44, "14.4"), (99.94, "99.9"), (1000, "1000")]
    )
    def test_burn_rate_has_a_decimal_below_a_hundred(self, rate: float, shown: str) -> None:
        """A burn rate has a decimal below 100."""
        assert shown == rate_text(rate)

    @pytest.mark.parametrize(
        ("rates", "shown"),
        [
            ({"5m": 1.0, "1h": 14.4, "6h": None}, "14.4 (1h)"),
            ({"5m": None}, "-"),
            ({}, "-"),
        ],
    )
    def test_fastest_burn_rate_has_its_lookback(
        self, rates: dict[str, float | None], shown: str
    ) -> None:
        """The highest burn rate stands with its lookback."""
        assert shown == fastest_text(rates)

    @pytest.mark.parametrize(
        ("left", "seconds", "shown"),
        [(0.5, 5160.0, "86 min"), (0.5, None, "-"), (0.0, None, "gone"), (-3.0, 60.0, "gone")],
    )
    def test_spent_budget_is_gone(self, left: float, seconds: float | None, shown: str) -> None:
        """A budget that is spent is gone; one that lasts a period has no time."""
        assert shown == exhausted_text(status_row(budget_left=left, exhausted_in_seconds=seconds))

    def test_service_is_shown_with_its_places(self) -> None:
        """A service is shown with the places that it has."""
        labels = {"service_namespace": "x", "service_name": "pay", "cluster": "eu", "region": ""}

        assert "pay, eu" == service_text(status_row(service=labels))
