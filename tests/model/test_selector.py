from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import PRESENT, Counter, NoLabels, labels
from otel_meta.errors import DeclarationError
from otel_meta.model import Selector
from otel_meta.model.selector import Matcher, as_selector


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
    st.sampled_from(["", "e"]),
)


class TestWhere:
    def test_one(self) -> None:
        """One value is asked for as itself."""
        match = REQUESTS.where(method="GET")

        assert (Matcher("method", ("GET",)),) == match.matchers

    def test_several(self) -> None:
        """Several values are asked for as a tuple."""
        match = REQUESTS.where(method=("GET", "PUT"))

        assert (Matcher("method", ("GET", "PUT")),) == match.matchers

    def test_present(self) -> None:
        """Any value at all is asked for by name."""
        match = REQUESTS.where(error=PRESENT)

        assert (Matcher("error", PRESENT),) == match.matchers

    def test_narrowing(self) -> None:
        """Narrowing twice is narrowing by both."""
        match = REQUESTS.where(method="GET").where(error=PRESENT)

        assert REQUESTS.where(method="GET", error=PRESENT) == match

    def test_source(self) -> None:
        """A match knows its instrument, and is left alone by narrowing it."""
        match = Selector(REQUESTS)
        match.where(method="GET")

        assert Selector(REQUESTS, ()) == match


class TestRefused:
    def test_label(self) -> None:
        """A label that the metric lacks is refused, with those that it has."""
        with pytest.raises(
            DeclarationError,
            match=r"'atlas\.requests': has no label 'methd'; choose .*'error', 'method', 'route'",
        ):
            REQUESTS.where(methd="GET")

    def test_no_labels(self) -> None:
        """A metric without labels says so."""
        with pytest.raises(DeclarationError, match=r"'atlas\.beats': has no label.*no labels"):
            BEATS.where(method="GET")

    @pytest.mark.parametrize("wanted", ["get", ("GET", "get"), ""])
    def test_value(self, wanted: str | tuple[str, ...]) -> None:
        """A value outside a closed set is refused, with the set."""
        with pytest.raises(
            DeclarationError,
            match=r"'method' never is '(get)?'; choose from .*'GET', 'POST', 'PUT'",
        ):
            REQUESTS.where(method=wanted)

    def test_nothing(self) -> None:
        """No value at all is refused: such a series cannot be."""
        with pytest.raises(DeclarationError, match="'method' never is nothing; choose from"):
            REQUESTS.where(method=())


class TestPredicate:
    @given(series)
    def test_all(self, values: tuple[str, ...]) -> None:
        """Without conditions every series is meant."""
        assert Selector(REQUESTS).predicate()(values)

    @given(series)
    def test_one(self, values: tuple[str, ...]) -> None:
        """A condition looks at its own label, wherever that stands."""
        _, method, _ = values

        assert (method == "POST") == REQUESTS.where(method="POST").predicate()(values)

    @given(series)
    def test_several(self, values: tuple[str, ...]) -> None:
        """Any of several values will do."""
        _, method, _ = values

        assert (method != "PUT") == REQUESTS.where(method=("GET", "POST")).predicate()(values)

    @given(series)
    def test_present(self, values: tuple[str, ...]) -> None:
        """A label that is empty is not there."""
        *_, error = values

        assert (error == "e") == REQUESTS.where(error=PRESENT).predicate()(values)

    @given(series)
    def test_both(self, values: tuple[str, ...]) -> None:
        """Every condition has to hold."""
        route, method, _ = values
        predicate = REQUESTS.where(route="/a", method="GET").predicate()

        assert ((route, method) == ("/a", "GET")) == predicate(values)


class TestAsMatch:
    def test_instrument(self) -> None:
        """An instrument stands for all of its series."""
        assert Selector(REQUESTS) == as_selector(REQUESTS)

    def test_match(self) -> None:
        """A match is taken as it is."""
        match = REQUESTS.where(method="GET")

        assert match is as_selector(match)
