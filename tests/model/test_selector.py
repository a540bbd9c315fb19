from __future__ import annotations

from itertools import product
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import PRESENT, Counter, NoLabels, labels
from otel_meta.errors import DeclarationError
from otel_meta.model import Selector
from otel_meta.model.selector import Matcher, MatcherValue, as_selector
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION


@labels
class Request:
    route: str
    method: Literal["GET", "POST", "PUT"]
    error: str = ""


REQUESTS = Counter("atlas.requests", "Requests.", Request)
BEATS = Counter("atlas.beats", "Heartbeats.", NoLabels)

series = st.tuples(
    st.sampled_from(["/a", "/b"]),
    st.sampled_from(["GET", "POST", "PUT"]),
    st.sampled_from(["", "e", "f"]),
)


ALL_SERIES = list(product(["/a", "/b"], ["GET", "POST"], ["", "e", "f"]))
CHOICES: list[dict[str, MatcherValue]] = [
    {name: value for name, value in zip(("route", "method", "error"), values, strict=True) if value}
    for values in product(
        [None, "/a", ("/a", "/b")], [None, "GET", ("GET", "POST")], [None, PRESENT, "e", ("", "e")]
    )
]
SELECTORS = [REQUESTS.where(**chosen) for chosen in CHOICES]


class TestIncludes:
    @pytest.mark.parametrize("wide", SELECTORS, ids=str)
    def test_series_of_included_selector_are_selected(self, wide: Selector) -> None:
        """A selector selects each series of a selector that it includes."""
        included = [narrow for narrow in SELECTORS if wide.includes(narrow)]
        selected = [one for narrow in included for one in ALL_SERIES if narrow.predicate()(one)]

        assert [] == [one for one in selected if not wide.predicate()(one)]

    @pytest.mark.parametrize("selector", SELECTORS, ids=str)
    def test_selector_includes_itself_and_its_selections(self, selector: Selector) -> None:
        """A selector includes itself and its selections, and no wider selector."""
        narrower = selector.where(method="POST")

        assert selector.includes(selector)
        assert selector.includes(narrower)
        assert not narrower.includes(REQUESTS.where())


class TestWhere:
    def test_one_value_is_matcher_of_one_value(self) -> None:
        """One value is a matcher of one value."""
        match = REQUESTS.where(method="GET")

        assert (Matcher("method", ("GET",)),) == match.matchers

    def test_tuple_is_matcher_of_several_values(self) -> None:
        """A tuple is a matcher of several values."""
        match = REQUESTS.where(method=("GET", "PUT"))

        assert (Matcher("method", ("GET", "PUT")),) == match.matchers

    def test_present_is_matcher_of_any_value(self) -> None:
        """PRESENT is a matcher of any value."""
        match = REQUESTS.where(error=PRESENT)

        assert (Matcher("error", PRESENT),) == match.matchers

    def test_two_calls_of_where_have_both_matchers(self) -> None:
        """Two calls of where have both matchers."""
        match = REQUESTS.where(method="GET").where(error=PRESENT)

        assert REQUESTS.where(method="GET", error=PRESENT) == match

    def test_call_of_where_leaves_its_selector_unchanged(self) -> None:
        """A call of where leaves its selector unchanged."""
        match = Selector(REQUESTS)
        match.where(method="GET")

        assert Selector(REQUESTS, ()) == match


class TestRefused:
    def test_label_that_metric_lacks_is_refused_with_labels_of_metric(self) -> None:
        """A label that the metric lacks is refused with the labels of the metric."""
        with pytest.raises(
            DeclarationError,
            match=r"'atlas\.requests': has no label 'methd'; choose .*'error', 'method', 'route'",
        ):
            REQUESTS.where(methd="GET")

    def test_label_of_metric_without_labels_is_refused(self) -> None:
        """A label of a metric without labels is refused."""
        with pytest.raises(DeclarationError, match=r"'atlas\.beats': has no label.*no labels"):
            BEATS.where(method="GET")

    @pytest.mark.parametrize("wanted", ["get", ("GET", "get"), ""])
    def test_value_outside_closed_values_is_refused_with_values(
        self, wanted: str | tuple[str, ...]
    ) -> None:
        """A value outside the closed values is refused with the values."""
        with pytest.raises(
            DeclarationError,
            match=r"'method' never is '(get)?'; choose from .*'GET', 'POST', 'PUT'",
        ):
            REQUESTS.where(method=wanted)

    def test_empty_tuple_of_values_is_refused(self) -> None:
        """An empty tuple of values is refused."""
        with pytest.raises(DeclarationError, match="'method' never is nothing; choose from"):
            REQUESTS.where(method=())


class TestPredicate:
    @given(series)
    def test_without_matchers_predicate_holds_for_every_series(
        self, values: tuple[str, ...]
    ) -> None:
        """Without matchers the predicate holds for every series."""
        assert Selector(REQUESTS).predicate()(values)

    @given(series)
    def test_matcher_reads_its_own_label(self, values: tuple[str, ...]) -> None:
        """A matcher reads its own label."""
        _, method, _ = values

        assert (method == "POST") == REQUESTS.where(method="POST").predicate()(values)

    @given(series)
    def test_matcher_of_several_values_matches_each_of_them(self, values: tuple[str, ...]) -> None:
        """A matcher of several values matches each of them."""
        _, method, _ = values

        assert (method != "PUT") == REQUESTS.where(method=("GET", "POST")).predicate()(values)

    @given(series)
    def test_present_matches_no_empty_value(self, values: tuple[str, ...]) -> None:
        """PRESENT matches no empty value."""
        *_, error = values

        assert (error != "") == REQUESTS.where(error=PRESENT).predicate()(values)

    @given(series)
    def test_predicate_holds_if_every_matcher_matches(self, values: tuple[str, ...]) -> None:
        """The predicate holds if every matcher matches."""
        route, method, _ = values
        predicate = REQUESTS.where(route="/a", method="GET").predicate()

        assert ((route, method) == ("/a", "GET")) == predicate(values)


class TestAsMatch:
    def test_instrument_becomes_selector_of_all_its_series(self) -> None:
        """An instrument becomes a selector of all its series."""
        assert Selector(REQUESTS) == as_selector(REQUESTS)

    def test_selector_is_returned_unchanged(self) -> None:
        """A selector is returned unchanged."""
        match = REQUESTS.where(method="GET")

        assert match is as_selector(match)


def test_error_about_value_shows_part_of_large_set_and_nearest_value() -> None:
    """An error about a value shows at most 20 values of a closed set, and the nearest value."""
    requests = HTTP_SERVER_REQUEST_DURATION

    with pytest.raises(DeclarationError, match=r"'119'\] and 480 more; did you mean '500'\?$"):
        requests.where(http_response_status_code=500)  # type: ignore[arg-type]
