from __future__ import annotations

from typing import Any

import pytest

from otel_meta.cli.demo.slo_table import slo_table


def slo(**different: Any) -> dict[str, Any]:
    """Return an SLO of a /slo page."""
    return {
        "name": "titan-service-availability",
        "objective": "99.9%",
        "state": "ok",
        "unit": "events",
        "total": 1000,
        "bad": 0,
        "budget_left": 1.0,
        "burn_rates": {"5m": 0.0, "30m": 0.0, "1h": 0.0},
        **different,
    }


def page(service: str, *slos: dict[str, Any]) -> dict[str, Any]:
    """Return a /slo page."""
    return {"service_name": service, "slos": list(slos)}


def cells(**different: Any) -> list[str]:
    """Return the cells of a single row after the objective."""
    row = slo_table([page("payments", slo(**different))]).splitlines()[2]
    return row.split("  ", 2)[2].split()[1:]


class TestSloTable:
    def test_each_slo_of_each_page_has_row_with_state_error(self) -> None:
        """Each SLO of each page has a row with state, error budget left and burn rates."""
        mixed = {"5m": 47.53, "1h": 12.0}
        pages = [
            page("storefront", slo(name="aurora-api-latency", objective="99%")),
            page("payments", slo(state="breached", bad=31, budget_left=-0.25, burn_rates=mixed)),
        ]

        # fmt: off
        assert [
            "SERVICE     SLO                         OBJECTIVE  STATE     EVENTS  BAD  BUDGET LEFT  BURN 5m  BURN 1h",  # noqa: E501
            "----------  --------------------------  ---------  --------  ------  ---  -----------  -------  -------",  # noqa: E501
            "storefront  aurora-api-latency                99%  ok          1000    0       100.0%      0.0      0.0",  # noqa: E501
            "payments    titan-service-availability      99.9%  breached    1000   31       -25.0%     47.5     12.0",  # noqa: E501
        ] == slo_table(pages).splitlines()
        # fmt: on

    def test_missing_values_are_dashes(self) -> None:
        """Missing values are dashes."""
        nothing = {"5m": None, "1h": None}

        assert ["no_data", "0", "0", "-", "-", "-"] == cells(
            state="no_data", total=0, budget_left=None, burn_rates=nothing
        )

    def test_time_slices_are_counted_in_seconds_with_their_unit(self) -> None:
        """Time slices are counted in seconds with their unit."""
        assert ["ok", "12", "s", "4", "s"] == cells(unit="seconds", total=12.4, bad=3.6)[:5]

    @pytest.mark.parametrize(
        ("share", "shown"),
        [
            (1.0, ["100.0%"]),
            (0.2995, ["29.9%"]),
            (0.0, ["0.0%"]),
            (-0.25, ["-25.0%"]),
            (-9.99, ["-999.0%"]),
            (-10.0, ["-10", "x"]),
            (-268.6, ["-269", "x"]),
        ],
    )
    def test_error_budget_left_is_percentage_and_multiple_from_10_downward(
        self, share: float, shown: list[str]
    ) -> None:
        """The error budget left is a percentage, and a multiple from -10 downward."""
        assert shown == cells(budget_left=share)[3:-2]

    def test_without_slos_table_is_its_headings(self) -> None:
        """Without SLOs, the table is its headings."""
        assert 2 == len(slo_table([page("payments")]).splitlines())
