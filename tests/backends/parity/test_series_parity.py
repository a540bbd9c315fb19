"""Series of all instruments, recorded once on each export path: equal except for a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from otel_meta.repos import BUILTIN
from tests.backends import reliability_page
from tests.backends.alerting_servers import Prometheus, Sample
from tests.backends.parity.comparable_labels import comparable_labels
from tests.backends.parity.export_paths import (
    ALL_PATHS,
    PUSHED,
    SCRAPED,
    SCRAPED_2,
    SIDECAR,
    ExportPaths,
    export_paths,
)
from tests.backends.parity.recording_fleet import RESOURCES
from tests.waiting import poll

TYPE_LABELS = "--enable-feature=type-and-unit-labels"
"""Prometheus then stores the type of pushed series as well, in the label ``__type__``."""
FROM_PROCESS = {SCRAPED, SCRAPED_2}
DECLARED = {name for _, i in BUILTIN.instruments() for name in i.sample_names}

Series = Mapping[frozenset[tuple[str, str]], float]


class StoredSeries:
    """All series of an export path, as stored at some time."""

    def __init__(self, prometheus: Prometheus) -> None:
        self.prometheus = prometheus
        self._samples = prometheus.query('{__name__=~".+"}')

    @property
    def comparable(self) -> Series:
        """The series of services and their values, without known differences."""
        return {
            frozenset(comparable_labels(sample.labels).items()): sample.value
            for sample in self._samples
            if "service_name" in sample.labels and _name(sample) != "target_info"
        }

    def types_and_help(self, *names: str) -> dict[str, set[tuple[str, str]]]:
        """Return the scraped type and help of each metric, by its name without ``_total``."""
        found = self.prometheus.get("metadata").items()
        metadata = {name.removesuffix("_total"): entries for name, entries in found}
        return {name: {(one["type"], one["help"]) for one in metadata[name]} for name in names}

    def metadata_names(self) -> set[str]:
        """Return the names by which metadata was scraped."""
        return {*self.prometheus.get("metadata")}

    def units(self) -> set[str]:
        """Return all scraped units."""
        metadata = self.prometheus.get("metadata")
        return {one["unit"] for entries in metadata.values() for one in entries}

    def names(self, pattern: str = "") -> set[str]:
        """Return the names of all series whose beginning matches a pattern."""
        return {_name(sample) for sample in self._samples if re.match(pattern, _name(sample))}

    def labels(self, name: str) -> set[str]:
        """Return the label names of a metric's series."""
        return {label for s in self._samples if _name(s) == name for label in s.labels}

    def values(self, label: str) -> set[str]:
        """Return the values of a label."""
        return {s.labels[label] for s in self._samples if label in s.labels}


SeriesByPath = Mapping[str, StoredSeries]


def _name(sample: Sample) -> str:
    return sample.labels["__name__"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeriesByPath]:
    """The stored series of each export path, as soon as all are complete and equal.

    At the time-out, the fixture has the latest series, and the tests show the differences.
    """
    folder = tmp_path_factory.mktemp("series")
    with export_paths(ALL_PATHS, folder, [TYPE_LABELS]) as paths:
        for path in paths.values():
            path.record_and_export()
        latest: dict[str, StoredSeries] = {}

        def settled() -> bool:
            latest.update(_query(paths))
            return _complete_and_equal(latest)

        poll(settled)
        yield latest


def _query(paths: ExportPaths) -> SeriesByPath:
    return {name: StoredSeries(path.prometheus) for name, path in paths.items()}


def _complete_and_equal(stored: SeriesByPath) -> bool:
    expected = stored[SCRAPED].comparable
    return DECLARED <= stored[SCRAPED].names() and all(
        expected == series.comparable for series in stored.values()
    )


class TestEqual:
    def test_every_declared_sample_name_is_stored(self, stored: SeriesByPath) -> None:
        """Every sample name of every declared instrument is stored."""
        assert set() == DECLARED - stored[SCRAPED].names()

    @pytest.mark.parametrize("path", [SCRAPED_2, SIDECAR, PUSHED])
    def test_series_are_equal_on_all_paths(self, stored: SeriesByPath, path: str) -> None:
        """Names, labels, types, buckets and values equal those of the scraped process."""
        expected, found = stored[SCRAPED].comparable, stored[path].comparable

        assert ([], []) == (_only_in(expected, found), _only_in(found, expected))
        assert expected == found

    @pytest.mark.parametrize("path", [*ALL_PATHS])
    def test_place_of_service_is_on_its_series_where_it_has_one(
        self, stored: SeriesByPath, path: str
    ) -> None:
        """The place of a service is on each of its series, and absent where it has none."""
        places = {"deployment_environment_name", "environment", "cluster", "cloud_region"}
        found: dict[str, set[frozenset[tuple[str, str]]]] = {}
        for series in stored[path].comparable:
            labels = dict(series)
            place = frozenset(pair for pair in series if pair[0] in places)
            found.setdefault(labels["service_namespace"], set()).add(place)

        assert {
            repo.name: {
                frozenset(
                    (attribute.replace(".", "_"), value)
                    for attribute, value in RESOURCES.get(repo.name, {}).items()
                )
            }
            for repo in BUILTIN
        } == found

    @pytest.mark.parametrize("path", [SCRAPED_2, SIDECAR])
    def test_type_and_help_are_equal_where_scraped(self, stored: SeriesByPath, path: str) -> None:
        """Type and help of every metric equal those from the process, on each scraped path."""
        names = {i.prometheus_name.removesuffix("_total") for _, i in BUILTIN.instruments()}

        assert stored[SCRAPED].types_and_help(*names) == stored[path].types_and_help(*names)


def _only_in(first: Series, second: Series) -> list[Any]:
    """Return five series that are in the first result only."""
    return sorted(sorted(series) for series in first.keys() - second.keys())[:5]


def _integer_bounds(stored: SeriesByPath) -> bool:
    return all(
        ("1" in stored[path].values("le")) == (path == PUSHED)
        and ("1.0" in stored[path].values("le")) == (path != PUSHED)
        for path in ALL_PATHS
    )


DIFFERENCES: Mapping[str, tuple[str, Callable[[SeriesByPath], bool]]] = {
    "`job` and `instance` name the scrape target instead of the service and its process": (
        SCRAPED,
        lambda stored: (
            stored[SCRAPED].values("job") == {"parity"}
            and stored[SIDECAR].values("job") >= stored[PUSHED].values("job")
            and all("/" in job for job in stored[PUSHED].values("job"))
        ),
    ),
    "`target_info` has labels with the name of the service, besides `job` and `instance`": (
        SCRAPED,
        lambda stored: all(
            ("service_name" in stored[path].labels("target_info")) == (path in FROM_PROCESS)
            for path in ALL_PATHS
        ),
    ),
    "`target_info` has labels about the machine, which the Collector detects": (
        SIDECAR,
        lambda stored: all(
            ("host_name" in stored[path].labels("target_info")) == (path == SIDECAR)
            for path in ALL_PATHS
        ),
    ),
    '`le` of an integer bound is "1" instead of "1.0"; rules and panels match both': (
        PUSHED,
        _integer_bounds,
    ),
    "`up` and `scrape_*` are absent, since nothing is scraped": (
        PUSHED,
        lambda stored: all(
            bool(stored[path].names("up$|scrape_")) == (path != PUSHED) for path in ALL_PATHS
        ),
    ),
    "`process_*` and `python_*` of the Python process are stored as well": (
        SCRAPED,
        lambda stored: all(
            bool(stored[path].names("process_|python_")) == (path in FROM_PROCESS)
            for path in ALL_PATHS
        ),
    ),
    "Prometheus' metadata has units": (
        SCRAPED,
        lambda stored: stored[SCRAPED].units() > {""} == stored[SIDECAR].units(),
    ),
    "Prometheus' metadata has counters by the name of their samples, with `_total`": (
        SCRAPED_2,
        lambda stored: all(
            ("events_processed_total" in stored[path].metadata_names()) == (path == SCRAPED_2)
            for path in (SCRAPED, SCRAPED_2, SIDECAR)
        ),
    ),
    "Prometheus' metadata has no help, since it describes scraped metrics only": (
        PUSHED,
        lambda stored: not stored[PUSHED].prometheus.get("metadata"),
    ),
}


class TestDifferent:
    @pytest.mark.parametrize("difference", DIFFERENCES)
    def test_listed_difference_exists(self, stored: SeriesByPath, difference: str) -> None:
        """A difference listed in docs/reliability.md exists, and on its export path only."""
        path, exists = DIFFERENCES[difference]
        reliability_page.path_differences[difference] = path

        assert exists(stored)
