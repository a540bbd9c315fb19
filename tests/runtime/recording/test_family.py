from __future__ import annotations

from threading import Thread
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, Histogram, NoLabels, labels
from otel_meta.model import Instrument
from otel_meta.runtime.recording.cells import GaugeCell, SumCell
from otel_meta.runtime.recording.family import OVERFLOW, Family
from otel_meta.runtime.recording.label_values import UnknownLabelError

Reported = list[tuple[str, object]]


@labels
class Request:
    route: str
    method: Literal["GET", "POST"]
    tenant: str = ""


@labels
class Closed:
    method: Literal["GET", "POST"]
    scheme: Literal["http", "https"]


@labels
class Route:
    route: str


@labels
class Letter:
    a: Literal["1", "2", "3", "4", "5", "6"]
    b: Literal["1", "2", "3", "4", "5", "6"]


@labels
class Outcome:
    error: Literal["timeout", "refused"] = ""  # type: ignore[assignment]  # may be outside


def family_of(
    instrument: Instrument[...], reported: Reported | None = None, limit: int = 2000
) -> Family[SumCell]:
    """Return a family of sums that appends its faults to a list."""
    faults = [] if reported is None else reported
    return Family(
        instrument,
        SumCell,
        limit=limit,
        on_fault=lambda *fault: faults.append((fault[0], fault[1])),
    )


def counter(kind: type) -> Counter[...]:
    """Return a counter with these labels."""
    return Counter("acme.requests", "Requests.", kind)


def values(family: Family[SumCell]) -> list[tuple[str, ...]]:
    """Return the label values of every series."""
    return [cell.labels for cell in family.cells()]


class TestFind:
    def test_same_labels_find_same_series_in_any_order(self) -> None:
        """The same labels find the same series in any order."""
        family = family_of(counter(Request))
        found = family.find({"route": "/", "method": "GET", "tenant": "a"})

        assert found is family.find({"tenant": "a", "method": "GET", "route": "/"})

    def test_omitted_label_has_its_default(self) -> None:
        """An omitted label has its default."""
        family = family_of(counter(Request))

        assert ("/", "GET", "") == family.find({"route": "/", "method": "GET"}).labels

    def test_omitted_label_and_its_explicit_default_find_same_series(self) -> None:
        """An omitted label and its explicit default find the same series."""
        family = family_of(counter(Request))
        found = family.find({"route": "/", "method": "GET"})

        assert found is family.find({"route": "/", "method": "GET", "tenant": ""})

    def test_closed_label_with_default_may_be_omitted_without_fault(self) -> None:
        """A closed label with a default may be omitted without a fault."""
        reported: Reported = []
        family = family_of(counter(Outcome), reported)

        assert ("",) == family.find({}).labels
        assert [] == reported

    def test_instrument_without_labels_has_one_series(self) -> None:
        """An instrument without labels has one series."""
        family = family_of(counter(NoLabels))

        assert family.find({}) is family.find({})

    @given(st.text())
    def test_any_text_is_label_value_and_finds_its_series_again(self, text: str) -> None:
        """Any text is a label value and finds its series again."""
        family = family_of(counter(Route))
        found = family.find({"route": text})

        assert found is family.find({"route": text})
        assert (text,) == found.labels

    @pytest.mark.parametrize(
        ("given", "kept"), [(7, "7"), (True, "True"), (1.5, "1.5"), ([1], "[1]"), (b"a", "b'a'")]
    )
    def test_value_of_another_type_finds_series_of_its_text(self, given: object, kept: str) -> None:
        """A value of another type finds the series of its text."""
        family = family_of(counter(Route))

        assert family.find({"route": kept}) is family.find({"route": given})
        assert [(kept,)] == values(family)

    def test_value_outside_its_closed_set_becomes_other_and_is_reported(self) -> None:
        """A value outside its closed set becomes _OTHER and is reported."""
        reported: Reported = []
        family = family_of(counter(Request), reported)

        assert ("/", "_OTHER", "") == family.find({"route": "/", "method": "EVIL"}).labels
        detail = "method='EVIL' is not in its closed set; choose one of GET, POST"
        assert [("label value", detail)] == reported

    def test_all_values_outside_closed_set_share_one_series(self) -> None:
        """All values outside a closed set share one series."""
        family = family_of(counter(Request))
        found = {family.find({"route": "/", "method": f"EVIL{n}"}) for n in range(50)}

        assert 1 == len(found)


class TestUnknownLabel:
    def test_error_names_missing_label(self) -> None:
        """The error names a missing label."""
        with pytest.raises(UnknownLabelError, match="lacks the label method"):
            family_of(counter(Request)).find({"route": "/"})

    def test_none_counts_as_missing_label(self) -> None:
        """None counts as a missing label."""
        with pytest.raises(UnknownLabelError, match="lacks the label route"):
            family_of(counter(Route)).find({"route": None})

    @pytest.mark.parametrize(
        ("kind", "given"),
        [
            (Route, {"ruote": "/"}),
            (Route, {"route": "/", "ruote": "/"}),
            (NoLabels, {"ruote": "/"}),
            (Request, {"route": "/", "method": "GET", "ruote": "/"}),
        ],
    )
    def test_error_names_unknown_label(self, kind: type, given: dict[str, str]) -> None:
        """The error names an unknown label."""
        with pytest.raises(UnknownLabelError, match="has no label ruote"):
            family_of(counter(kind)).find(given)

    def test_refused_labels_create_no_series(self) -> None:
        """Refused labels create no series."""
        family = family_of(counter(Route))
        with pytest.raises(UnknownLabelError):
            family.find({"ruote": "/"})

        assert [] == values(family)


class TestZero:
    def test_counter_with_closed_labels_has_every_series_from_start(self) -> None:
        """A counter with closed labels only has every series from the start, at zero."""
        family = family_of(counter(Closed))

        assert [
            ("GET", "http"),
            ("GET", "https"),
            ("POST", "http"),
            ("POST", "https"),
        ] == values(family)
        assert {0.0} == {cell.value for cell in family.cells()}

    def test_counter_without_labels_has_its_series_from_start(self) -> None:
        """A counter without labels has its series from the start."""
        assert [()] == values(family_of(counter(NoLabels)))

    def test_new_series_of_counter_comes_with_closed_siblings(self) -> None:
        """A new series of a counter comes with all series of different closed labels."""
        family = family_of(counter(Request))
        family.find({"route": "/", "method": "POST"}).add(1)

        assert {("/", "GET", ""): 0.0, ("/", "POST", ""): 1.0} == {
            cell.labels: cell.value for cell in family.cells()
        }

    def test_series_of_other_comes_with_series_of_known_values(self) -> None:
        """A series of _OTHER comes with the series of known values, too."""
        family = family_of(counter(Request))
        family.find({"route": "/", "method": "EVIL"})

        assert {("/", "GET", ""), ("/", "POST", ""), ("/", "_OTHER", "")} == set(values(family))

    def test_many_closed_combinations_are_created_one_by_one(self) -> None:
        """Many closed combinations are created one by one."""
        family = family_of(counter(Letter))
        family.find({"a": "1", "b": "2"})

        assert [("1", "2")] == values(family)

    @pytest.mark.parametrize(
        "instrument",
        [
            Gauge("acme.level", "A level.", Closed),
            Histogram("acme.size", "A size.", Closed, buckets=(1,)),
        ],
    )
    def test_only_counters_begin_at_zero(self, instrument: Instrument[...]) -> None:
        """Only counters begin at zero, because zero would be a false value of a gauge."""
        family = Family(instrument, GaugeCell)
        family.find({"method": "GET", "scheme": "http"})

        assert [("GET", "http")] == [cell.labels for cell in family.cells()]


class TestLimit:
    def test_series_above_limit_share_one_series_which_comes_last(self) -> None:
        """Series above the limit share one series, which comes last."""
        family = family_of(counter(Route), limit=2)
        for route in "abcd":
            family.find({"route": route}).add(1)

        assert [(("a",), 1.0), (("b",), 1.0), (OVERFLOW, 2.0)] == [
            (cell.labels, cell.value) for cell in family.cells()
        ]

    def test_default_limit_is_2000_series(self) -> None:
        """By default, a metric has 2000 series and the overflow series."""
        family = Family(counter(Route), SumCell)
        for number in range(2500):
            family.find({"route": str(number)}).add(1)

        assert 2001 == len(values(family))
        assert [500.0] == [c.value for c in family.cells() if c.labels is OVERFLOW]

    def test_series_from_before_limit_is_still_found_afterwards(self) -> None:
        """A series from before the limit is still found afterwards."""
        family = family_of(counter(Route), limit=1)
        first = family.find({"route": "a"})
        family.find({"route": "b"})

        assert first is family.find({"route": "a"})

    def test_reached_limit_is_reported_with_its_number(self) -> None:
        """A reached limit is reported with its number."""
        reported: Reported = []
        family = family_of(counter(Route), reported, limit=1)
        family.find({"route": "a"})
        family.find({"route": "b"})

        assert [("cardinality", "more than 1 series; the rest share one")] == reported

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
    def test_series_that_are_created_together_stay_within_limit_too(self, limit: int) -> None:
        """Series that are created together stay within the limit, too."""
        family = family_of(counter(Request), limit=limit)
        for route in "abc":
            family.find({"route": route, "method": "POST"})

        assert limit == len([v for v in values(family) if v is not OVERFLOW])

    def test_declared_values_have_their_series_even_under_low_limit(self) -> None:
        """Declared values have their series even under a low limit."""
        family = family_of(counter(Closed), limit=1)
        for scheme in ("EVIL", "http"):
            family.find({"method": "GET", "scheme": scheme})

        assert [True, False] == [
            family.find({"method": "GET", "scheme": scheme}).labels is not OVERFLOW
            for scheme in ("http", "EVIL")
        ]

    def test_limit_of_instrument_precedes_default(self) -> None:
        """The limit of the instrument precedes the default."""
        own = Counter("acme.requests", "Requests.", Route, max_series=3)

        assert (3, 2) == (family_of(own, limit=2).limit, family_of(counter(Route), limit=2).limit)

    def test_receiver_of_fault_may_record_into_same_metric_without_deadlock(self) -> None:
        """The receiver of a fault may record into the same metric without a deadlock."""
        reported: Reported = []

        def on_fault(reason: str, detail: object, _mistake: str | None = None, /) -> None:
            reported.append((reason, detail))
            if len(reported) == 1:  # as a log handler that counts warnings by their logger would
                family.find({"route": "otel_meta"}).add(1)

        family = Family(counter(Route), SumCell, limit=1, on_fault=on_fault)
        family.find({"route": "a"})
        thread = Thread(target=family.find, args=({"route": "b"},), daemon=True)
        thread.start()
        thread.join(5)

        assert not thread.is_alive()


class TestThreads:
    def test_threads_that_create_series_at_same_time_get_same_cell(self) -> None:
        """Threads that create a series at the same time get the same cell."""
        family = family_of(counter(Route))
        found: list[list[SumCell]] = [[] for _ in range(8)]

        def find(own: list[SumCell]) -> None:
            own.extend(family.find({"route": str(n)}) for n in range(500))

        threads = [Thread(target=find, args=(own,)) for own in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [found[0]] * 8 == found
        assert 500 == len(values(family))
