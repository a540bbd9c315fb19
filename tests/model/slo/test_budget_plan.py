from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta import BurnWindow, Counter, NoLabels, Slo
from otel_meta.model import BURN_WINDOWS
from otel_meta.model.slo.budget_plan import Outage

RATIO = Counter("acme.calls", "Calls.", NoLabels).ratio(
    bad=Counter("acme.failures", "Failures.", NoLabels)
)
PERIODS = [str(period) for period in BURN_WINDOWS]
NOBODY = Fraction(0)


def slo(objective: str = "99.9%", period: str = "30d", min_bad_events: int = 3) -> Slo:
    """Return an SLO with the windows of its period."""
    return Slo(
        "acme-calls",
        objective=objective,
        period=period,
        sli=RATIO,
        why="Callers wait.",
        min_bad_events=min_bad_events,
    )


def outage(share: str, events_per_second: Fraction | None = None, of: Slo | None = None) -> Outage:
    """Return an outage, by default of the SLO of 99.9 % in 30 days."""
    return Outage(slo=of or slo(), bad_share=Fraction(share), events_per_second=events_per_second)


def first_minute(outage: Outage, window: BurnWindow) -> int | None:
    """Count the events minute by minute; return the first minute after which the window burns."""
    limit = window.limit(outage.slo.period, outage.slo.objective.budget)
    events = 60 * (outage.events_per_second or 0)
    bad = [Fraction(0)]
    for minute in range(1, window.long.seconds // 60 + 1):
        bad.append(bad[-1] + events * outage.bad_share)
        within = {
            span: bad[minute] - bad[max(minute - span.seconds // 60, 0)]
            for span in (window.long, window.short)
        }
        burns = all(count / (events * span.seconds // 60) > limit for span, count in within.items())
        if burns and within[window.long] >= outage.slo.min_bad_events:
            return minute
    return None


class TestAlerts:
    @settings(max_examples=30)
    @given(
        period=st.sampled_from(PERIODS),
        objective=st.sampled_from(["97%", "99%", "99.5%", "99.9%", "99.99%"]),
        share=st.fractions(Fraction(1, 2000), 1, max_denominator=2000),
        events_per_minute=st.sampled_from([1, 2, 60, 6000]),
        min_bad_events=st.integers(0, 40),
    )
    def test_alert_fires_in_the_minute_in_which_counted_events_burn(
        self,
        period: str,
        objective: str,
        share: Fraction,
        events_per_minute: int,
        min_bad_events: int,
    ) -> None:
        """An alert fires in the minute in which events that are counted one by one burn."""
        traffic = Fraction(events_per_minute, 60)
        plan = outage(str(share), traffic, slo(objective, period, min_bad_events))

        for alert in plan.alerts():
            minute = first_minute(plan, alert.window)
            if alert.fires_after is None:
                assert minute is None
            else:
                assert minute is not None
                assert minute - 1 <= alert.fires_after / 60 <= minute

    def test_total_outage_pages_after_the_times_of_the_workbook(self) -> None:
        """A total outage at 99.9 % pages after 51.84 s, when 2 % of the budget are spent."""
        fast, slow, *_ = outage("1").alerts()

        assert (Fraction("51.84"), Fraction("0.02")) == (fast.fires_after, fast.spent)
        assert (Fraction("129.6"), Fraction("0.05")) == (slow.fires_after, slow.spent)

    @pytest.mark.parametrize(
        ("share", "fires"),
        [
            ("0.0144", [False, True, True, True]),
            ("0.01441", [True, True, True, True]),
            ("0.001", [False, False, False, False]),
        ],
    )
    def test_alert_never_fires_at_its_limit_or_below(self, share: str, fires: list[bool]) -> None:
        """An alert never fires at a share of bad events that is not above its limit."""
        alerts = outage(share).alerts()

        assert fires == [alert.fires_after is not None for alert in alerts]
        assert {"too small a share"} >= {a.obstacle for a in alerts if a.fires_after is None}

    def test_alert_without_enough_bad_events_never_fires(self) -> None:
        """An alert whose long window never holds the least bad events does not fire."""
        fast, slow, *_ = outage("1", Fraction(2, 3600)).alerts()

        assert (None, "too few bad events") == (fast.fires_after, fast.obstacle)
        assert 5400 == slow.fires_after

    def test_alert_without_traffic_never_fires(self) -> None:
        """No alert fires without any traffic."""
        assert {None} == {alert.fires_after for alert in outage("1", NOBODY).alerts()}


class TestBudget:
    @given(st.fractions(Fraction(1, 10**6), 1), st.fractions(0, 2))
    def test_seconds_for_a_share_spend_the_share(self, bad: Fraction, share: Fraction) -> None:
        """The seconds for a share of the budget spend exactly the share."""
        plan = outage(str(bad))

        assert share == plan.spent(plan.seconds_for(share))

    @pytest.mark.parametrize(
        ("share", "minutes"), [("1", "43.2"), ("0.1", "432"), ("0.01", "4320")]
    )
    def test_budget_of_three_nines_lasts_43_minutes_of_total_outage(
        self, share: str, minutes: str
    ) -> None:
        """The budget of 99.9 % in 30 days lasts 43.2 minutes of a total outage."""
        assert Fraction(minutes) * 60 == outage(share).seconds_for(Fraction(1))
