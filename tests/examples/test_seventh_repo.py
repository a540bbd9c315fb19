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
    """The seventh meta-repository, from its file."""
    atlas: type[MetaRepo] = runpy.run_path(str(PATH))["Atlas"]
    return atlas


class TestAtlas:
    def test_runs(self, run: Run) -> None:
        """It binds, records, and its promises are kept."""
        done = run(str(PATH))

        assert (0, "") == (done.returncode, done.stderr)
        assert ["atlas-tile-availability: ok", "atlas-route-latency: ok"] == (
            done.stdout.splitlines()
        )

    def test_catalog(self, atlas_class: type[MetaRepo]) -> None:
        """Together with the six it has no problems."""
        catalog = BUILTIN.with_repos(atlas_class)

        assert 7 == len(catalog)
        assert () == catalog.problems()

    def test_complete(self, atlas_class: type[MetaRepo]) -> None:
        """It shows one of everything that can be declared."""
        kinds = {instrument.kind for instrument in atlas_class.instruments.values()}

        assert {"counter", "gauge", "histogram"} == kinds
        assert 2 == len(atlas_class.slos)
        assert 1 == len(atlas_class.recordings)
        assert 1 == len(atlas_class.alerts)

    def test_live(self, atlas_class: type[MetaRepo]) -> None:
        """Bound, it records and is tracked as one of the six is."""
        with capture("tile-server", atlas_class) as captured:
            atlas: Any = captured.bind(atlas_class)
            atlas.tiles.add(3, layer="terrain", result="failed")
            states = {s.slo.name: s.state for s in captured.telemetry.tracker.statuses()}
            text = captured.prometheus_text()

        assert {"atlas-tile-availability": "breached", "atlas-route-latency": "no_data"} == states
        assert 'service_namespace="atlas-maps"' in text
        assert "map_tiles_served_total{" in text
