from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_meta.fleet.explain.causes import Cells, Part, causes
from otel_meta.status.events import NO_EVENTS, Events

LABELS = ("route", "instance")
ROUTES, INSTANCES = ("/a", "/b", "/c", "/d"), ("i1", "i2", "i3")


def cells(failing: dict[tuple[str, str], float], usual: float = 0.001) -> Cells:
    """Return 1,000 events of each route and instance, with these shares of bad events."""
    return Cells(
        LABELS,
        {
            (route, instance): Events(1_000 * failing.get((route, instance), usual), 1_000)
            for route in ROUTES
            for instance in INSTANCES
        },
    )


def of_route(route: str, share: float) -> dict[tuple[str, str], float]:
    """Return the same share of bad events for every instance of a route."""
    return {(route, instance): share for instance in INSTANCES}


def parts(found: Cells, before: Cells | None = None) -> list[Part]:
    """Return the parts of the causes."""
    return [cause.part for cause in causes(found, before)]


def test_value_with_all_bad_events_is_the_cause() -> None:
    """A route with all bad events is the cause, and explains all of them."""
    (cause,) = causes(cells(of_route("/b", 0.4), usual=0))

    assert (("route", "/b"),) == cause.part
    assert 1.0 == cause.share
    assert pytest.approx(0.4) == cause.ratio


def test_excess_is_bad_events_beyond_the_ratio_of_the_service() -> None:
    """The excess of a value is its bad events, less those at the ratio of the whole service."""
    (cause,) = causes(cells(of_route("/b", 0.4), usual=0))

    assert pytest.approx(1_200 - 0.1 * 3_000) == cause.excess


def test_part_that_fails_alone_is_a_pair() -> None:
    """A route that fails on one instance only is a pair of values."""
    assert (("route", "/c"), ("instance", "i2")) == parts(cells({("/c", "i2"): 0.5}))[0]


def test_pair_is_no_cause_where_one_value_explains_as_much() -> None:
    """A route that fails everywhere is one value: no pair with an instance is a cause."""
    assert [(("route", "/a"),)] == parts(cells(of_route("/a", 0.3)))


def test_no_part_is_a_cause_if_everything_fails_alike() -> None:
    """If every part fails at the same ratio, there is no cause."""
    assert [] == parts(cells({}, usual=0.3))


def test_route_that_always_fails_is_no_cause() -> None:
    """A route that fails as much as before is no cause; the new one is."""
    before = cells(of_route("/d", 0.2))
    now = cells(of_route("/d", 0.2) | of_route("/a", 0.1))

    assert (("route", "/d"),) == parts(now)[0]
    assert [(("route", "/a"),)] == parts(now, before)


def test_labels_with_the_same_events_are_one_cause() -> None:
    """Of two labels that tell the same events apart, the first is named."""
    twins = Cells(
        ("instance", "pod"),
        {("i1", "p1"): Events(90, 100), ("i2", "p2"): Events(0, 900)},
    )

    assert [(("instance", "i1"),)] == parts(twins)


def test_few_bad_events_are_no_cause() -> None:
    """Two bad events of a route with half of the traffic may be chance."""
    few = Cells(("route",), {("/a",): Events(2, 50), ("/b",): Events(1, 50)})

    assert [] == parts(few)


@pytest.mark.parametrize(
    "found", [Cells(LABELS), Cells((), {(): Events(3, 9)}), cells({}, usual=0), cells({}, usual=1)]
)
def test_without_differences_there_is_no_cause(found: Cells) -> None:
    """Without events, labels or bad events, or with bad events alone, there is no cause."""
    assert [] == parts(found, found)


counts = st.tuples(st.floats(0, 1), st.floats(0, 1e6)).map(lambda e: Events(e[0] * e[1], e[1]))
keys: st.SearchStrategy[tuple[str, ...]] = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))


@example({("a", "x"): NO_EVENTS, ("b", "x"): NO_EVENTS}, None)
@given(st.dictionaries(keys, counts), st.none() | st.dictionaries(keys, counts))
def test_shares_are_between_0_and_1(
    now: dict[tuple[str, ...], Events], before: dict[tuple[str, ...], Events] | None
) -> None:
    """Whatever the counts are, a cause explains more than nothing and at most all."""
    usual = None if before is None else Cells(LABELS, before)
    found = causes(Cells(LABELS, now), usual)

    assert all(0 < cause.share <= 1 and cause.excess > 0 for cause in found)


def test_labels_of_all_bad_events_have_one_value() -> None:
    """Of the labels, those are named in which all bad events have the same value."""
    failing = Cells(
        (*LABELS, "zone"),
        {
            ("/a", "i1", ""): Events(5, 10),
            ("/a", "i2", ""): Events(5, 10),
            ("/b", "i1", ""): Events(0, 10),
        },
    )

    assert (("route", "/a"),) == failing.of_all_bad(("route", "instance", "zone"))
