from __future__ import annotations

from fractions import Fraction

import pytest

from otel_meta import BurnWindow, Counter, Duration, NoLabels, Objective, Slo
from otel_meta.errors import DeclarationError
from otel_meta.model import BURN_WINDOWS

REQUESTS = Counter("atlas.requests", "Requests.", NoLabels)
FAILURES = Counter("atlas.failures", "Failures.", NoLabels)
SLI = REQUESTS.ratio(bad=FAILURES)


def slo(
    name: str = "atlas-availability",
    *,
    objective: str | Objective = "99.9%",
    period: str | Duration = "30d",
    why: str = "Maps stay blank.",
    first_steps: str = "",
    burn_windows: tuple[BurnWindow, ...] | None = None,
) -> Slo:
    """Make a valid SLO with given arguments."""
    return Slo(
        name,
        objective=objective,
        period=period,
        sli=SLI,
        why=why,
        first_steps=first_steps,
        burn_windows=burn_windows,
    )


class TestSlo:
    def test_slo_has_its_arguments_as_parsed_attributes(self) -> None:
        """An SLO has its arguments as parsed attributes."""
        made = slo()

        assert (
            "atlas-availability",
            Objective("99.9%"),
            Duration("30d"),
            SLI,
            "Maps stay blank.",
        ) == (
            made.name,
            made.objective,
            made.period,
            made.sli,
            made.why,
        )

    def test_parsed_arguments_are_stored_unchanged(self) -> None:
        """Parsed arguments are stored unchanged."""
        made = slo(objective=Objective("95%"), period=Duration("7d"))

        assert (Objective("95%"), Duration("7d")) == (made.objective, made.period)

    @pytest.mark.parametrize("period", BURN_WINDOWS, ids=str)
    def test_default_burn_windows_are_those_of_period(self, period: Duration) -> None:
        """The default burn windows are those of the period."""
        assert BURN_WINDOWS[period] == slo(period=period).burn_windows

    def test_given_burn_windows_replace_table_for_any_period(self) -> None:
        """Given burn windows replace the table for any period."""
        windows = (BurnWindow("page", Fraction(1, 10), Duration("2h"), Duration("10m")),)

        assert windows == slo(period="14d", burn_windows=windows).burn_windows

    def test_durations_of_burn_windows_come_once_each_shortest_first(self) -> None:
        """The durations of burn windows come once each, shortest first."""
        assert [
            "5m",
            "30m",
            "1h",
            "2h",
            "6h",
            "1d",
            "3d",
        ] == [str(span) for span in slo().burn_lookbacks()]

    def test_two_slos_with_equal_arguments_are_equal(self) -> None:
        """Two SLOs with equal arguments are equal, such as an SLO and its copy."""
        assert slo() == slo()
        assert slo() != slo("atlas-other")

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("- Roll back.\n- Call maps", "- Roll back.\n- Call maps."),
            ("Look:\n\n```promql\nup == 0\n```", "Look:\n\n```promql\nup == 0\n```"),
            ("", ""),
        ],
    )
    def test_first_steps_keep_lists_and_blocks_of_code(self, given: str, kept: str) -> None:
        """First steps keep lists and blocks of code."""
        assert kept == slo(first_steps=given).first_steps


class TestRefused:
    def test_first_steps_without_a_word_are_refused(self) -> None:
        """First steps without a word are refused."""
        with pytest.raises(DeclarationError, match=r"has the first_steps '- '"):
            slo(first_steps="- ")

    @pytest.mark.parametrize("name", ["", "Atlas", "atlas_availability", "atlas-", "1st", "a b"])
    def test_name_other_than_words_joined_by_dashes_is_refused(self, name: str) -> None:
        """A name other than words joined by dashes is refused."""
        with pytest.raises(DeclarationError, match=rf"SLO '{name}': is not a name; use lower-case"):
            slo(name)

    @pytest.mark.parametrize("why", ["", " \n", "x", "...", "-"])
    def test_slo_without_reason_is_refused(self, why: str) -> None:
        """An SLO without a reason is refused."""
        with pytest.raises(DeclarationError, match=r"why.*; describe .* impact on users"):
            slo(why=why)

    def test_metric_in_place_of_indicator_is_refused_with_right_form(self) -> None:
        """A metric in place of an indicator is refused with the right form."""
        with pytest.raises(
            DeclarationError, match=r"has the indicator Counter.*; name the good .*ratio\(bad="
        ):
            Slo(
                "atlas-availability",
                objective="99.9%",
                period="30d",
                sli=REQUESTS,  # type: ignore[arg-type]
                why="Maps stay blank.",
            )

    def test_negative_min_bad_events_is_refused(self) -> None:
        """A negative minimum of bad events is refused."""
        with pytest.raises(DeclarationError, match=r"has the min_bad_events -1; give a"):
            Slo(
                "atlas-availability",
                objective="99.9%",
                period="30d",
                sli=SLI,
                why="Maps stay blank.",
                min_bad_events=-1,
            )

    def test_objective_of_100_percent_is_refused(self) -> None:
        """An objective of 100 % is refused, because it has no error budget."""
        with pytest.raises(DeclarationError, match=r"objective '100%'.*no error budget"):
            slo(objective="100%")

    def test_bare_number_as_objective_is_refused_with_right_form(self) -> None:
        """A number as an objective is refused with the right form, not with an error of `re`."""
        with pytest.raises(DeclarationError, match=r"objective 99.9: .*; write it as \"99.9%\""):
            slo(objective=99.9)  # type: ignore[arg-type]

    def test_period_without_table_is_refused_with_periods_that_have_one(self) -> None:
        """A period without a table is refused with the periods that have one."""
        with pytest.raises(
            DeclarationError,
            match=r"has a period of 14d, .*no table.*choose one of 7d, 28d, 30d, 90d, or give b",
        ):
            slo(period="14d")

    def test_burn_window_that_can_never_fire_is_refused(self) -> None:
        """A burn window that can never fire is refused."""
        with pytest.raises(
            DeclarationError,
            match=r"the 1h/5m page window can never fire: .*144%.*give burn_windows=",
        ):
            slo(objective="90%")

    def test_window_that_fires_while_slo_is_met_is_refused(self) -> None:
        """A window that fires while the SLO is met is refused."""
        windows = (BurnWindow("ticket", Fraction(1, 100), Duration("3d"), Duration("6h")),)

        with pytest.raises(DeclarationError, match=r"the 3d/6h ticket .*0\.1.*SLO is met"):
            slo(burn_windows=windows)
