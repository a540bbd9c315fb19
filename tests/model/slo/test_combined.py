from __future__ import annotations

from typing import Any, Literal

import pytest

from otel_meta import Counter, Gauge, Histogram, labels
from otel_meta.errors import DeclarationError
from otel_meta.model import Combined


@labels
class Request:
    method: Literal["GET", "POST"]


LATENCY = Histogram("atlas.latency", "Latency.", Request, unit="s", buckets=(0.1, 0.5, 60))
REQUESTS = Counter("atlas.requests", "Requests.", Request)
SPEED = Gauge("atlas.speed", "Speed.", Request)
READS = LATENCY.where(method="GET").within(0.1)
WRITES = LATENCY.where(method="POST").within(0.5)
POSTED = REQUESTS.ratio(bad=REQUESTS.where(method="POST"))


class TestCombined:
    def test_parts_of_combined_part_are_its_own(self) -> None:
        """The parts of a combined part are parts of the whole, in the order of declaration."""
        assert (READS, WRITES, POSTED) == Combined(Combined(READS, WRITES), POSTED).parts

    def test_selectors_of_all_parts_are_read(self) -> None:
        """The selectors of all parts are read."""
        expected = {*READS.selectors(), *POSTED.selectors()}

        assert expected == {*Combined(READS, POSTED).selectors()}
        assert "events" == Combined(READS, POSTED).unit

    @pytest.mark.parametrize("slis", [(), (READS,)])
    def test_fewer_than_two_parts_are_refused(self, slis: tuple[Any, ...]) -> None:
        """Fewer than two parts are refused."""
        with pytest.raises(DeclarationError, match="has fewer than two parts; give indicators"):
            Combined(*slis)

    def test_time_slices_are_refused(self) -> None:
        """Time slices are refused, because seconds and events have no common sum."""
        with pytest.raises(DeclarationError, match="has a part of time slices"):
            Combined(READS, SPEED.at_least(1))

    def test_metric_in_place_of_indicator_is_refused(self) -> None:
        """A metric in place of an indicator is refused."""
        metric: Any = LATENCY

        with pytest.raises(DeclarationError, match=r"has the part Histogram\('atlas\.latency'\)"):
            Combined(READS, metric)

    @pytest.mark.parametrize("other", [LATENCY.within(60), READS])
    def test_events_that_two_parts_count_are_refused(self, other: Any) -> None:
        """Events that two parts count are refused."""
        with pytest.raises(DeclarationError, match=r"counts the events of .*latency'.* twice"):
            Combined(READS, other)
