from __future__ import annotations

import re
from typing import Any

import pytest

from otel_meta.status.page.charts import budget_bar, burn_down
from otel_meta.status.page.html_page import render_page
from otel_meta.status.page.slo_entry import entry_id
from otel_meta.status.status_json import StatusJson
from tests.status.page.sample_pages import (
    AT_RISK,
    BREACHED,
    CORRECTIONS,
    EVERY_STATE,
    MANY,
    NO_DATA,
    OK,
    YOUNG,
    context,
)
from tests.status.status_rows import row


def text_of(*rows: StatusJson, **surroundings: Any) -> str:
    """Return the text of a page, with spaces between elements."""
    page = render_page(rows, context(**surroundings))
    body = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).replace("&quot;", '"').split())


class TestGlance:
    def test_totals_count_states_worst_first(self) -> None:
        """The totals count the SLOs of each state, worst first, also in the title."""
        text = text_of(*EVERY_STATE)

        assert "2 breached 2 at risk 1 without data 2 ok aurora-fullstack-saas" in text
        assert text.startswith("2 breached, 2 at risk, 1 without data, 2 ok | SLOs of storefront")

    def test_line_of_slo_has_state_budget_burn_rate_and_end(self) -> None:
        """The line of an SLO has the state, the budget left, the burn rate and the end."""
        assert (
            "At risk aurora-api-latency storefront, production 38 % of the budget left "
            "burns 191\N{MULTIPLICATION SIGN} gone in 86 min"
        ) in text_of(AT_RISK)

    def test_short_coverage_is_in_line_of_slo(self) -> None:
        """A short coverage is in the line of an SLO: an overspent budget may mean little."""
        assert "payments, 6 s of 30 d seen" in text_of(YOUNG)
        assert "seen" not in text_of(OK)

    @pytest.mark.parametrize(("number", "is_open"), [(3, True), (4, False)])
    def test_details_are_open_for_few_slos_in_danger(self, number: int, is_open: bool) -> None:
        """The details of SLOs in danger are open if there are few of them."""
        rows = [row(f"slo-{index}", state="breached") for index in range(number)]
        opened = re.findall(r"<details[^>]* open", render_page([*rows, OK], context()))

        assert number * is_open == len(opened)

    def test_ids_are_unique_on_page(self) -> None:
        """The ids on the page of 200 SLOs and of one SLO of two services are unique."""
        twins = [row("twin", service={"service_name": name}) for name in ("a", "b")]
        ids = re.findall(r' id="([^"]*)"', render_page([*MANY, *twins], context()))

        assert len(ids) == len(set(ids))

    def test_id_of_slo_does_not_depend_on_its_status(self) -> None:
        """The id of an SLO stays the same while its status changes."""
        assert entry_id(OK) == entry_id({**OK, "state": "breached", "bad": 7.0})


class TestDetails:
    def test_details_have_why_bound_and_alerts(self) -> None:
        """The details have the reason, the condition of a good event, and the alerts of now."""
        text = text_of(BREACHED)

        assert "A failed call is a page that does not load." in text
        assert 'Good event not http_server_request_duration_seconds{error_type!=""}' in text
        assert "SloErrorBudgetBurnFast fires (page)" in text
        assert "page: above 14.4\N{MULTIPLICATION SIGN} over 1 h and 5 min" in text

    def test_burn_rate_of_each_window_is_in_table(self) -> None:
        """The burn rate of each window is in the table; those above a limit say so."""
        text = text_of(AT_RISK).replace("\N{MULTIPLICATION SIGN}", "x")

        assert "Over Burn rate 5 min 180x, above the limit 1 h 190.8x" not in text
        assert "5 min 180x, above the limit 1 h 191x, above the limit 6 h 33x" in text

    def test_excluded_events_lead_to_corrections(self) -> None:
        """Excluded events lead to the corrections, which have their reasons."""
        page = render_page([AT_RISK], context(corrections=CORRECTIONS))
        text = text_of(AT_RISK, corrections=CORRECTIONS)

        assert '<a href="#corrections">120 requests by corrections, 3 of them bad</a>' in page
        assert (
            "A load test called the API without a limit. incident from 2026-01-14 09:00:00 UTC "
            "to 2026-01-14 09:12:00 UTC aurora-api-latency, service_name=storefront"
        ) in text
        assert "to 2026-01-12 03:00:00 UTC all SLOs" in text

    def test_without_links_there_is_no_list_of_links(self) -> None:
        """Without links there is no list, and an address of another scheme is no link."""
        hostile = row("a", links={"runbook": "javascript:alert(1)", "logs": "/logs"})

        assert 'class="links"' in render_page([OK], context())
        assert 'class="links"' not in render_page([row("a")], context())
        assert 'class="links"' not in render_page([hostile], context())

    def test_page_without_slos_says_how_to_have_some(self) -> None:
        """The page without SLOs says how to have some."""
        assert text_of(hint="no SLO is tracked: bind one").endswith(
            "No SLOs No SLO is tracked: bind one."
        )


class TestCharts:
    def test_chart_has_title_and_description(self) -> None:
        """The burn-down has a title, a description, the period and the line of 0 %."""
        chart = burn_down(BREACHED, "key") or ""

        assert '<title id="key-title">Error budget of aurora-api-availability</title>' in chart
        assert "From 100 % 30 d ago to \N{MINUS SIGN}34 % now; the lowest budget was" in chart
        assert all(text in chart for text in (">30 d ago<", ">now<", ">0 %<", ">100 %<"))

    def test_without_points_there_is_no_chart(self) -> None:
        """Without points there is no chart."""
        assert burn_down(NO_DATA, "key") is None

    @pytest.mark.parametrize("left", [-1e9, -0.5, -0.1, 0.0, 0.4, 1.0, None])
    def test_bar_stays_inside(self, left: float | None) -> None:
        """A bar begins and ends inside its track, whatever the budget left."""
        bar = budget_bar(row("a", budget_left=left))
        (x, width), *_ = re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', bar)

        assert 0 <= float(x)
        assert float(x) + float(width) <= 100.1
        assert (left is not None and left < -0.5) == ("off" in bar)

    def test_line_stays_inside_plot(self) -> None:
        """The line stays inside the plot, also of a budget that is overspent many times."""
        chart = burn_down(row("a", burn_down=[(2_592_000.0, 1.0), (0.0, -900.0)]), "key") or ""
        (points,) = re.findall(r'points="([^"]*)"', chart)
        heights = [float(point.partition(",")[2]) for point in points.split()]

        assert (0.0, 100.0) == (min(heights), max(heights))
