from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_meta import MetaRepo
from otel_meta.repos import BUILTIN
from otel_meta.testing import capture

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Run = Callable[..., subprocess.CompletedProcess[str]]

PATH = Path(__file__).resolve().parents[2] / "examples" / "seventh_repo" / "atlas.py"


@pytest.fixture(scope="module")
def atlas_class() -> type[MetaRepo]:
    """The added meta-repository, imported from its file."""
    atlas: type[MetaRepo] = runpy.run_path(str(PATH))["Atlas"]
    return atlas


class TestAtlas:
    def test_example_records_and_its_slos_are_met(self, run: Run) -> None:
        """The example records, and its SLOs are met."""
        done = run(str(PATH))

        assert (0, "") == (done.returncode, done.stderr)
        assert ["atlas-tile-availability: ok", "atlas-route-latency: ok"] == [
            line for line in done.stdout.splitlines() if not line.startswith("{")
        ]

    def test_example_and_built_in_catalogue_have_no_problems(
        self, atlas_class: type[MetaRepo]
    ) -> None:
        """The example and the built-in catalogue have no problems."""
        catalog = BUILTIN.with_repos(atlas_class)

        assert 7 == len(catalog)
        assert () == catalog.problems()

    def test_example_declares_one_of_each_kind(self, atlas_class: type[MetaRepo]) -> None:
        """The example declares one of each kind."""
        kinds = {instrument.kind for instrument in atlas_class.instruments.values()}

        assert {"counter", "gauge", "histogram"} == kinds
        assert 2 == len(atlas_class.slos)
        assert 1 == len(atlas_class.recordings)
        assert 1 == len(atlas_class.alerts)

    def test_example_records_and_is_tracked_like_built_in_meta_repository(
        self, atlas_class: type[MetaRepo]
    ) -> None:
        """The example records and is tracked like a built-in meta-repository."""
        with capture("tile-server", atlas_class) as captured:
            atlas: Any = captured.bind(atlas_class)
            atlas.tiles.add(3, layer="terrain", result="failed")
            states = {s.slo.name: s.state for s in captured.telemetry.tracker.statuses()}
            text = captured.prometheus_text()

        assert {"atlas-tile-availability": "at_risk", "atlas-route-latency": "no_data"} == states
        assert 'service_namespace="atlas-maps"' in text
        assert "map_tiles_served_total{" in text
