"""The page in Chromium: accessibility, keyboard, refreshing, filter, hostile texts, paper."""

from __future__ import annotations

from typing import Any

import pytest

from otel_meta.status.status_json import StatusJson
from tests.status.page.chromium import Tab
from tests.status.page.conftest import ServePage, Show
from tests.status.page.sample_pages import AT_RISK, BREACHED, OK, PAGES, context
from tests.waiting import poll, poll_for

LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1200, 390)]
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
VIOLATIONS = """
    axe.run(document).then(({violations}) => violations.map(
        ({id, nodes}) => id + ': ' + nodes.map((node) => node.html.slice(0, 120)).join(' | ')))
"""
QUICK = context(refresh=1)
NAMES = "[...document.querySelectorAll('.slo:not([hidden]) h3')].map((one) => one.textContent)"
FOCUSED = "document.activeElement.closest('.slo')?.querySelector('h3').textContent"
NO_SCROLL_ANCHORING = "document.documentElement.style.overflowAnchor = 'none'"
"""As in browsers that do not keep the place of a reader themselves."""


def violations(tab: Tab, axe: str) -> list[str]:
    """Return the violations that axe-core finds on the page."""
    tab.evaluate(f"{axe}; undefined")
    found: list[str] = tab.evaluate(VIOLATIONS)
    return found


class TestAccessibility:
    @pytest.mark.parametrize("look", LOOKS)
    @pytest.mark.parametrize("name", [name for name in PAGES if name != "many"])
    def test_page_has_no_violation(
        self, show: Show, tab: Tab, axe: str, name: str, look: tuple[str, int]
    ) -> None:
        """The page with all details open has no violation, in light and dark, wide and narrow."""
        tab.look(width=look[1], prefers_color_scheme=look[0])
        tab.open(show(name))
        tab.evaluate(OPEN_ALL)

        assert [] == violations(tab, axe)

    def test_page_of_two_hundred_slos_has_no_violation(
        self, show: Show, tab: Tab, axe: str
    ) -> None:
        """The page of 200 SLOs has no violation."""
        tab.open(show("many"))

        assert [] == violations(tab, axe)

    @pytest.mark.parametrize("name", PAGES)
    @pytest.mark.parametrize("width", [1200, 320])
    def test_page_fits_its_window(self, show: Show, tab: Tab, name: str, width: int) -> None:
        """The page is not wider than its window, whatever the length of names."""
        tab.look(width=width)
        tab.open(show(name))
        tab.evaluate(OPEN_ALL)

        assert width >= tab.evaluate("document.documentElement.scrollWidth")

    def test_motion_ends_for_readers_who_reduce_motion(self, show: Show, tab: Tab) -> None:
        """Nothing moves for readers who reduce motion."""
        moving = "getComputedStyle(document.querySelector('summary'), '::after').transitionDuration"
        tab.look(prefers_reduced_motion="reduce")
        tab.open(show("states"))

        assert "0s" == tab.evaluate(moving)

    def test_keyboard_reaches_every_control_and_opens_details(self, show: Show, tab: Tab) -> None:
        """The Tab key goes through the controls in their order, and Enter opens the details."""
        tab.open(show("problem"))
        focused = []
        for _ in range(4):
            tab.press("Tab", code=9)
            focused.append(
                tab.evaluate("document.activeElement.name || document.activeElement.nodeName")
            )
        tab.press("Enter", code=13, text="\r")

        assert ["BUTTON", "find", "state", "SUMMARY"] == focused
        assert tab.evaluate("document.activeElement.parentElement.open")

    def test_paper_has_details_and_no_controls(self, show: Show, tab: Tab) -> None:
        """On paper, the details are open and dark on white, and there are no controls."""
        tab.look(media="print", prefers_color_scheme="dark")
        tab.open(show("problem"))

        assert not tab.evaluate("document.querySelector('details').open")
        assert tab.evaluate("document.querySelector('.more').checkVisibility()")
        assert 0 == tab.evaluate("document.querySelector('#filter').offsetHeight")
        assert "rgb(27, 31, 36)" == tab.evaluate("getComputedStyle(document.body).color")


class TestRefresh:
    def test_page_follows_statuses_and_keeps_place_of_reader(
        self, serve_page: ServePage, tab: Tab
    ) -> None:
        """The page follows the statuses; focus, scroll and details stay as the reader left them."""
        rows: list[StatusJson] = [OK, AT_RISK]
        tab.look(height=300)
        tab.open(serve_page(lambda: rows, QUICK).url)
        tab.evaluate(NO_SCROLL_ANCHORING)
        tab.evaluate("document.querySelector('.slo.ok').open = true")
        tab.evaluate("document.querySelector('.slo.at_risk').open = false")
        tab.evaluate("document.querySelector('.slo.ok > summary').focus()")
        before = tab.evaluate("[scrollY, document.activeElement.getBoundingClientRect().top]")

        rows[:] = [BREACHED, {**OK, "bad": 14.0}, {**AT_RISK, "state": "ok"}]

        assert poll(lambda: "14 of 15,000" in tab.evaluate("document.body.textContent"))
        assert [BREACHED["name"], AT_RISK["name"], OK["name"]] == tab.evaluate(NAMES)
        assert OK["name"] == tab.evaluate(FOCUSED)
        assert tab.evaluate("document.activeElement.parentElement.open")
        assert not tab.evaluate("document.querySelectorAll('.slo')[1].open")
        assert before[0] > 0
        assert before[1] == pytest.approx(
            tab.evaluate("document.activeElement.getBoundingClientRect().top"), abs=2
        )
        assert "1 breached, 2 ok | SLOs of storefront" == tab.evaluate("document.title")
        assert "1 breached, 2 ok" == tab.evaluate("document.querySelector('#news').textContent")

    def test_focus_follows_slo_that_moves(self, serve_page: ServePage, tab: Tab) -> None:
        """The focus follows an SLO that becomes the worst, and so the first on the page."""
        rows: list[StatusJson] = [OK, AT_RISK]
        tab.open(serve_page(lambda: rows, QUICK).url)
        tab.evaluate("document.querySelector('.slo.ok > summary').focus()")

        rows[:] = [{**OK, "state": "breached"}, AT_RISK]

        assert [OK["name"], AT_RISK["name"]] == poll_for(
            [OK["name"], AT_RISK["name"]], lambda: tab.evaluate(NAMES)
        )
        assert OK["name"] == tab.evaluate(FOCUSED)

    def test_unchanged_totals_are_not_announced(self, serve_page: ServePage, tab: Tab) -> None:
        """A refresh with the same totals is not announced to screen readers."""
        rows: list[StatusJson] = [OK]
        tab.open(serve_page(lambda: rows, QUICK).url)
        rows[:] = [{**OK, "bad": 14.0}]

        assert poll(lambda: "14 of 15,000" in tab.evaluate("document.body.textContent"))
        assert "" == tab.evaluate("document.querySelector('#news').textContent")

    def test_page_says_that_service_does_not_answer(self, serve_page: ServePage, tab: Tab) -> None:
        """The page keeps the last statuses, and says that the service does not answer."""
        server = serve_page(lambda: [OK], QUICK)
        tab.open(server.url)
        server.close()
        trouble = "document.querySelector('#trouble').textContent"

        assert poll(lambda: tab.evaluate(trouble)).startswith("The service has not answered since")
        assert [OK["name"]] == tab.evaluate(NAMES)

    def test_problem_of_backend_comes_and_goes(self, serve_page: ServePage, tab: Tab) -> None:
        """An error of the backend appears with the last statuses, and goes with the error."""
        problems = [""]

        def fetch() -> list[StatusJson]:
            if problems[0]:
                raise RuntimeError(problems[0])
            return [OK]

        tab.open(serve_page(fetch, QUICK).url)
        shown = "document.querySelector('.problem')?.textContent ?? ''"
        assert "" == tab.evaluate(shown)
        problems[0] = "no route"
        assert "RuntimeError: no route" == poll(lambda: tab.evaluate(shown))
        assert tab.evaluate("document.querySelector('#news').textContent").startswith(
            "RuntimeError: no route, 1 ok"
        )
        assert [OK["name"]] == tab.evaluate(NAMES)
        problems[0] = ""

        assert "" == poll_for("", lambda: tab.evaluate(shown))

    def test_paused_page_does_not_ask(self, serve_page: ServePage, tab: Tab) -> None:
        """A paused page does not ask, until the reader continues."""
        asked: list[None] = []

        def fetch() -> list[StatusJson]:
            asked.append(None)
            return [OK]

        tab.open(serve_page(fetch, QUICK).url)
        tab.evaluate("document.querySelector('#pause').click()")
        before = len(asked)
        tab.evaluate("new Promise((done) => setTimeout(done, 2500))")
        during = len(asked)
        paused = tab.evaluate("document.querySelector('#age').textContent")
        tab.evaluate("document.querySelector('#pause').click()")

        assert before == during
        assert paused.startswith("Paused, state of ")
        assert poll(lambda: len(asked) > during)

    def test_page_without_script_is_refreshed_by_browser(self, show: Show, tab: Tab) -> None:
        """Without script, the browser refreshes the page, and no control is shown."""
        tab.disable_script()
        tab.open(show("states"))
        refresh = "document.querySelector('meta[http-equiv=refresh]').content"

        assert "10" == tab.evaluate(refresh)
        assert tab.evaluate("document.querySelector('#filter').hidden")
        assert "State of 2026-01-15 12:00:00 UTC" == tab.evaluate(
            "document.querySelector('#age').textContent"
        )


class TestFilter:
    def test_filter_finds_state_and_text_among_many(self, show: Show, tab: Tab) -> None:
        """The filter finds a state and a text among 200 SLOs, and the address keeps the filter."""
        tab.open(show("many"))
        tab.evaluate("document.querySelector('[name=find]').focus()")
        tab.type("SERVICE-00")
        tab.evaluate(
            "const state = document.querySelector('[name=state]'); state.value = 'breached';"
            "state.dispatchEvent(new Event('input', {bubbles: true}))"
        )
        address = tab.evaluate("location.href")
        shown = tab.evaluate("document.querySelector('#shown').textContent")

        assert ["service-009-availability"] == tab.evaluate(NAMES)
        assert "1 of 200 shown" == shown
        assert 1 == tab.evaluate("document.querySelectorAll('main > section:not([hidden])').length")

        tab.open("about:blank")
        tab.open(address)

        assert ["service-009-availability"] == tab.evaluate(NAMES)

    def test_link_to_slo_opens_its_details(self, show: Show, tab: Tab) -> None:
        """A link to an SLO opens the details of the SLO."""
        tab.open(show("states"))
        target = tab.evaluate("document.querySelector('.slo.ok').id")
        tab.evaluate(f"location.hash = {target!r}")

        assert poll(lambda: tab.evaluate("document.querySelector('.slo.ok').open"))


class TestHostileTexts:
    def test_texts_do_not_become_markup(self, show: Show, tab: Tab) -> None:
        """Names, reasons and labels do not become markup, also after a refresh."""
        tab.open(show("hostile"))
        elements: Any = tab.evaluate("[...document.querySelectorAll('img, script')].length")

        assert 1 == elements
        assert not tab.evaluate("'stolen' in window")
        assert [] == tab.evaluate("[...document.links].map((one) => one.href)")

    def test_policy_forbids_script_of_others(self, show: Show, tab: Tab) -> None:
        """The policy of the page forbids the scripts and the images of others."""
        tab.open(show("problem"))
        tab.evaluate(
            "window.blocked = []; addEventListener('securitypolicyviolation',"
            "({effectiveDirective}) => blocked.push(effectiveDirective));"
            "const script = document.createElement('script'); script.textContent = 'stolen = true';"
            "document.body.append(script);"
            "const image = document.createElement('img'); image.src = 'https://a.example/x.png';"
            "document.body.append(image);"
            "document.body.setAttribute('onclick', 'stolen = true'); document.body.click()"
        )

        assert {"img-src", "script-src-elem", "script-src-attr"} == poll_for(
            {"img-src", "script-src-elem", "script-src-attr"},
            lambda: set(tab.evaluate("blocked")),
        )
        assert not tab.evaluate("'stolen' in window")
