from __future__ import annotations

from typing import Literal

import pytest

from otel_meta import PRESENT, Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Combined, Ratio, TimeSlice
from otel_meta.model.selector import as_selector
from otel_meta.model.slo.sli import Sli
from otel_meta.repos import BUILTIN
from otel_meta.semconv import responses_within
from otel_meta.status.sli_text import event_noun, sli_text


@labels
class Trip:
    """Labels of a trip."""

    mode: Literal["car", "foot", "train"]
    region: str
    delay: str = ""


TRIPS = Counter("atlas.trips", "Trips.", Trip, unit="{trip}")
GUIDED = Counter("atlas.guided", "Trips with a guide.", NoLabels)
DURATION = Histogram("atlas.duration", "Duration.", Trip, unit="s", buckets=(1, 60, 3600))
AGE = Gauge("atlas.age", "Age of a map.", Trip, unit="d")
ACTIVE = UpDownCounter("atlas.active", "Trips under way.", NoLabels)
QUERIES = Counter("atlas.queries", "Queries.", Trip, unit="{query}")
BREAKER = Gauge("atlas.breaker", "State of a breaker.", NoLabels, unit="{state}")


class TestSliInWords:
    @pytest.mark.parametrize(
        ("sli", "words"),
        [
            (
                TRIPS.ratio(bad=TRIPS.where(mode="car")),
                'not atlas_trips_total{mode="car"} among atlas_trips_total',
            ),
            (
                TRIPS.ratio(bad=TRIPS.where(mode=("car", "train"), region="alps")),
                'not atlas_trips_total{mode=~"car|train",region="alps"} among atlas_trips_total',
            ),
            (
                DURATION.ratio(bad=DURATION.where(delay=PRESENT)),
                'not atlas_duration_seconds{delay!=""} among atlas_duration_seconds',
            ),
            (TRIPS.ratio(good=GUIDED), "atlas_guided_total among atlas_trips_total"),
            (
                Ratio(total=TRIPS.where(mode="foot"), good=as_selector(GUIDED)),
                'atlas_guided_total among atlas_trips_total{mode="foot"}',
            ),
            (DURATION.within(60), "atlas_duration_seconds <= 60"),
            (
                DURATION.within(3600).where(mode="foot"),
                'atlas_duration_seconds{mode="foot"} <= 3600',
            ),
            (AGE.at_most(2.5), "atlas_age_days <= 2.5, each series"),
            (AGE.at_least(1).worst(), "atlas_age_days >= 1, worst series"),
            (AGE.at_least(0), "atlas_age_days >= 0, each series"),
            (AGE.at_most(0), "atlas_age_days <= 0, each series"),
            (TimeSlice(as_selector(ACTIVE), at_most=7), "atlas_active <= 7, each series"),
        ],
    )
    def test_condition_of_sli_is_one_line_with_names_in_prometheus(
        self, sli: Sli, words: str
    ) -> None:
        """The condition of an SLI is one line with the names in Prometheus."""
        assert words == sli_text(sli)

    def test_bound_has_all_of_its_digits(self) -> None:
        """A bound has all of its digits."""
        exact = Histogram("atlas.size", "Size.", NoLabels, unit="By", buckets=(0.1, 12_345_678))

        assert "atlas_size_bytes <= 12345678" == sli_text(exact.within(12_345_678))

    def test_every_built_in_sli_is_described_in_one_line(self) -> None:
        """Every built-in SLI is described in one line."""
        words = [sli_text(slo.sli) for repo in BUILTIN for slo in repo.slos.values()]

        assert [] == [line for line in words if not line or "\n" in line]


class TestNoun:
    @pytest.mark.parametrize(
        ("sli", "noun"),
        [
            (TRIPS.ratio(good=GUIDED), "trips"),
            (QUERIES.ratio(bad=QUERIES.where(mode="car")), "queries"),
            (DURATION.within(60), "events"),
            (BREAKER.at_most(0), "seconds"),
            (responses_within(0.1), "requests"),
            (Combined(TRIPS.ratio(good=GUIDED), QUERIES.ratio(good=GUIDED)), "events"),
        ],
    )
    def test_unit_of_counted_things_names_events(self, sli: Sli, noun: str) -> None:
        """The unit of the counted things names the events of an SLI."""
        assert noun == event_noun(sli)
