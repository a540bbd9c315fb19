"""Two services in one directory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.multiprocess.workers import Workers
from tests.runtime.multiprocess.conftest import TILES, Spawn, Worker, worker_path


def spawn_with_tiles(spawn: Spawn) -> Worker:
    """Start a worker of the service maps with a tile."""
    worker = spawn()
    worker.live(TILES).add(1, style="a")
    return worker


class TestStart:
    def test_second_service_is_refused(self, spawn: Spawn) -> None:
        """A second service in the directory is refused at start."""
        spawn_with_tiles(spawn)
        with pytest.raises(ConfigurationError, match="'maps' in 'atlas-maps'; give each service"):
            spawn(service="routes")

    def test_second_service_is_refused_before_first_records(self, spawn: Spawn) -> None:
        """A second service is refused although the first has not recorded anything."""
        spawn()
        with pytest.raises(ConfigurationError, match="holds the metrics of 'maps'"):
            spawn(service="routes")

    def test_same_name_in_other_namespace_is_refused(self, spawn: Spawn, directory: Path) -> None:
        """A service of the same name in another namespace is another service."""
        spawn()
        with pytest.raises(ConfigurationError, match="in 'atlas-maps'"):
            Workers(directory, "maps", "other")

    def test_totals_of_stopped_service_are_refused(self, spawn: Spawn) -> None:
        """A second service is refused after the first has stopped."""
        spawn_with_tiles(spawn).die()
        spawn().view.refresh()
        with pytest.raises(ConfigurationError, match="holds the metrics of 'maps'"):
            spawn(service="routes")

    def test_service_is_refused_beside_worker_file(self, spawn: Spawn, directory: Path) -> None:
        """A second service is refused if the first has a worker file and no totals."""
        spawn_with_tiles(spawn)
        (directory / "totals").unlink()
        with pytest.raises(ConfigurationError, match="holds the metrics of 'maps'"):
            spawn(service="routes")

    def test_first_service_notices_second(self, spawn: Spawn) -> None:
        """The service that owns the directory counts the refusal of the other as a fault."""
        worker = spawn_with_tiles(spawn)
        with pytest.raises(ConfigurationError):
            spawn(service="routes")

        assert {"other service": 1.0} == worker.faults_by_reason()


class TestRunning:
    def test_replaced_directory_of_other_service(self, spawn: Spawn, directory: Path) -> None:
        """A directory that another service has taken meanwhile stays with this other service."""
        maps = spawn_with_tiles(spawn)
        maps.view.refresh()
        shutil.rmtree(directory)
        routes = spawn(service="routes")
        routes.live(TILES).add(5, style="a")
        maps_faults = maps.faults_by_reason()
        maps.live(TILES).add(1, style="a")
        maps.view.refresh()

        assert 5.0 == routes.scraped(TILES, style="a")
        assert 1.0 <= maps_faults["other service"]
        assert 1.0 <= routes.faults_by_reason()["other service"]
        assert 1.0 == maps.missing()["private"]

    def test_other_services_file_is_ignored(
        self, spawn: Spawn, directory: Path, tmp_path: Path
    ) -> None:
        """A file of another service is neither counted nor removed, and is a fault."""
        other = Worker(tmp_path / "other", service="routes")
        other.live(TILES).add(5, style="a")
        path = worker_path(tmp_path / "other")
        worker = spawn_with_tiles(spawn)
        shutil.copy(path, directory / path.name)
        other.die()

        assert 1.0 == worker.scraped(TILES, style="a")
        assert {"other service": 1.0} == worker.faults_by_reason()
        assert (directory / path.name).exists()

    def test_other_services_totals_are_not_replaced(
        self, spawn: Spawn, directory: Path, tmp_path: Path
    ) -> None:
        """Totals of another service are not replaced, and nothing is added to them."""
        routes = Worker(tmp_path / "other", service="routes")
        routes.live(TILES).add(5, style="a")
        routes.die()
        Worker(tmp_path / "other", service="routes").view.refresh()
        content = (tmp_path / "other" / "totals").read_bytes()
        dead, worker = spawn_with_tiles(spawn), spawn_with_tiles(spawn)
        worker.view.refresh()
        (directory / "totals").write_bytes(content)
        dead.die()

        assert 2.0 == worker.scraped(TILES, style="a")
        assert content == (directory / "totals").read_bytes()
        assert 1.0 == worker.faults_by_reason()["other service"]
