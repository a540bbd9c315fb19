from __future__ import annotations

import json
from typing import Literal

from otel_meta import (
    Catalog,
    Counter,
    Histogram,
    MetaRepo,
    NoLabels,
    Slo,
    UpDownCounter,
    labels,
)
from otel_meta.cli.describe import catalog_as_json
from otel_meta.repos import BUILTIN


@labels
class Trip:
    """Labels of a trip."""

    mode: Literal["car", "foot", "train"]
    region: str
    delay: str = ""


TRIPS = Counter("atlas.trips", "Trips.", Trip, unit="{trip}")
DURATION = Histogram("atlas.duration", "Duration.", Trip, unit="s", buckets=(1, 60, 3600))
ACTIVE = UpDownCounter("atlas.active", "Trips under way.", NoLabels)


class Atlas(MetaRepo, name="atlas", owner="maps", tier=3):
    """Maps.

    And what is on them.
    """

    trips = TRIPS
    duration = DURATION
    active = ACTIVE
    fast = Slo("atlas-fast", objective="99.50%", period="7d", sli=DURATION.within(60), why="Haste.")


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
