from __future__ import annotations

import json
from typing import Literal

import pytest

from otel_meta import (
    PRESENT,
    Catalog,
    Counter,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    Slo,
    UpDownCounter,
    labels,
)
from otel_meta.cli.describe import catalog_as_json
from otel_meta.model import Ratio, TimeSlice
from otel_meta.model.selector import as_selector
from otel_meta.model.slo.sli import Sli
from otel_meta.render.docs.descriptions import sli_text
from otel_meta.repos import BUILTIN


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


class Atlas(MetaRepo, name="atlas", owner="maps", tier=3):
    """Maps.

    And what is on them.
    """

    trips = TRIPS
    duration = DURATION
    active = ACTIVE
    fast = Slo("atlas-fast", objective="99.50%", period="7d", sli=DURATION.within(60), why="Haste.")


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


class TestCatalogAsJson:
    def test_meta_repository_has_owner_tier_and_first_line(self) -> None:
        """A meta-repository has owner, tier and the first line of its docstring."""
        assert [
            {
                "name": "atlas",
                "owner": "maps",
                "tier": 3,
                "description": "Maps.",
                "metrics": 3,
                "slos": 1,
            }
        ] == catalog_as_json(Catalog((Atlas,)))["repos"]

    def test_metric_has_names_type_unit_and_labels_and_histogram_has(self) -> None:
        """A metric has names, type, unit and labels, and a histogram has buckets."""
        trips, duration, active = catalog_as_json(Catalog((Atlas,)))["metrics"]

        assert {
            "repo": "atlas",
            "name": "atlas.trips",
            "prometheus_name": "atlas_trips_total",
            "type": "counter",
            "unit": "{trip}",
            "labels": {"mode": ("car", "foot", "train"), "region": None, "delay": None},
            "description": "Trips.",
        } == trips
        assert ("histogram", (1, 60, 3600)) == (duration["type"], duration["buckets"])
        assert ("updowncounter", "", {}) == (active["type"], active["unit"], active["labels"])

    def test_slo_has_its_objective_in_fewest_digits_and_its_sli(self) -> None:
        """An SLO has its objective in the fewest digits, and its SLI in words."""
        (slo,) = catalog_as_json(Catalog((Atlas,)))["slos"]

        assert ("atlas", "atlas-fast", "99.5%", "7d", "Haste.") == tuple(
            slo[key] for key in ("repo", "name", "objective", "period", "why")
        )
        assert {"kind": "threshold", "good": "atlas_duration_seconds <= 60"} == slo["sli"]

    def test_all_values_survive_json_without_loss(self) -> None:
        """All values survive JSON without loss."""
        declared = catalog_as_json(BUILTIN)
        again = json.loads(json.dumps(declared))

        assert [slo["name"] for slo in declared["slos"]] == [slo["name"] for slo in again["slos"]]
        assert declared["slos"] == again["slos"]

    def test_empty_catalogue_is_three_empty_lists(self) -> None:
        """An empty catalogue is three empty lists."""
        assert {"repos": [], "metrics": [], "slos": []} == catalog_as_json(Catalog())
