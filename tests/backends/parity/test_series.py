"""Every series of the six, recorded once, on each of the three ways: the same but for a list."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from otel_meta.repos import BUILTIN
from tests.backends import report
from tests.backends.parity.known import plain
from tests.backends.parity.ways import PUSHED, SCRAPED, SIDECAR, WAYS, Way
from tests.backends.servers import Sample

PATIENCE = 60.0
TYPES = "--enable-feature=type-and-unit-labels"
"""So that Prometheus tells the type of what is pushed to it, too: as the label ``__type__``."""

Series = Mapping[frozenset[tuple[str, str]], float]


class Seen:
    """What came of one way."""

    def __init__(self, way: Way) -> None:
        way.work()
        self.prometheus = way.prometheus
        self.every = _complete(way)

    @property
    def series(self) -> Series:
        """Those of services, without what is known to differ."""
        return {
            frozenset(plain(one.labels).items()): one.value
            for one in self.every
            if "service_name" in one.labels and _name(one) != "target_info"
        }

    def about(self, *names: str) -> dict[str, set[tuple[str, str]]]:
        """Type and help of each metric, as Prometheus was told by those that it scrapes."""
        told = self.prometheus.get("metadata")
        return {name: {(one["type"], one["help"]) for one in told[name]} for name in names}

    def units(self) -> set[str]:
        """The units that it was told."""
        return {one["unit"] for told in self.prometheus.get("metadata").values() for one in told}

    def names(self, form: str = "") -> set[str]:
        """The names of all series that begin like this."""
        return {_name(one) for one in self.every if re.match(form, _name(one))}

    def labels(self, name: str) -> set[str]:
        """The labels of a metric's series."""
        return {label for one in self.every if _name(one) == name for label in one.labels}

    def values(self, label: str) -> set[str]:
        """The values of a label."""
        return {one.labels[label] for one in self.every if label in one.labels}


def _complete(way: Way) -> list[Sample]:
    """All that Prometheus has, once every service has come to it."""
    deadline = time.monotonic() + PATIENCE
    while len(way.prometheus.ask("count by (service_name) (otel_meta_up)")) < len(BUILTIN):
        assert time.monotonic() < deadline, "not every service has come"
        time.sleep(0.2)
    time.sleep(1.2)  # a scrape of the Collector may have come in between two exports
    return way.prometheus.ask('{__name__=~".+"}')


def _name(one: Sample) -> str:
    return one.labels["__name__"]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Seen]]:
    """What came of each way."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("series")
        ways = {n: stack.enter_context(way(folder / n, [TYPES])) for n, way in WAYS.items()}
        yield {name: Seen(way) for name, way in ways.items()}


class TestEqual:
    def test_whole(self, seen: Mapping[str, Seen]) -> None:
        """Every sample name of every instrument of the six has come."""
        declared = {name for _, i in BUILTIN.instruments() for name in i.sample_names}

        assert set() == declared - seen[SCRAPED].names()

    @pytest.mark.parametrize("way", [SIDECAR, PUSHED])
    def test_series(self, seen: Mapping[str, Seen], way: str) -> None:
        """Names, labels, types, buckets and values are the same as on the process' own page."""
        here, there = seen[SCRAPED].series, seen[way].series

        assert ([], []) == (_shown(here, there), _shown(there, here))
        assert here == there

    def test_help(self, seen: Mapping[str, Seen]) -> None:
        """Type and help of every metric are the same from the Collector as from the process."""
        names = {i.prometheus_name.removesuffix("_total") for _, i in BUILTIN.instruments()}

        assert seen[SCRAPED].about(*names) == seen[SIDECAR].about(*names)


def _shown(one: Series, other: Series) -> list[Any]:
    """Some of what only one of them has."""
    return sorted(sorted(series) for series in one.keys() - other.keys())[:5]


Look = Callable[[Mapping[str, Seen]], bool]


def _whole_bounds(seen: Mapping[str, Seen]) -> bool:
    return all(("1" in seen[w].values("le")) == (w == PUSHED) for w in WAYS) and all(
        ("1.0" in seen[w].values("le")) == (w != PUSHED) for w in WAYS
    )


DIFFERENCES: Mapping[str, tuple[str, Look]] = {
    "`job` and `instance` name the scraped target; on the other ways the service and its process": (
        SCRAPED,
        lambda seen: (
            seen[SCRAPED].values("job") == {"parity"}
            and seen[SIDECAR].values("job") >= seen[PUSHED].values("job")
            and all("/" in job for job in seen[PUSHED].values("job"))
        ),
    ),
    "`target_info` names the service in labels of its own, beside `job` and `instance`": (
        SCRAPED,
        lambda seen: all(
            ("service_name" in seen[way].labels("target_info")) == (way == SCRAPED) for way in WAYS
        ),
    ),
    "`target_info` says what the Collector found out about the machine": (
        SIDECAR,
        lambda seen: all(
            ("host_name" in seen[way].labels("target_info")) == (way == SIDECAR) for way in WAYS
        ),
    ),
    '`le` of a whole bound is "1", not "1.0"; rules and panels match both': (PUSHED, _whole_bounds),
    "`up` and `scrape_*` are absent, since nothing is scraped": (
        PUSHED,
        lambda seen: all(bool(seen[way].names("up$|scrape_")) == (way != PUSHED) for way in WAYS),
    ),
    "`process_*` and `python_*` of the Python process are there as well": (
        SCRAPED,
        lambda seen: all(
            bool(seen[way].names("process_|python_")) == (way == SCRAPED) for way in WAYS
        ),
    ),
    "units are in Prometheus' metadata": (
        SCRAPED,
        lambda seen: seen[SCRAPED].units() > {""} == seen[SIDECAR].units(),
    ),
    "help is not in Prometheus' metadata, which has only what was scraped": (
        PUSHED,
        lambda seen: not seen[PUSHED].prometheus.get("metadata"),
    ),
}


class TestDifferent:
    @pytest.mark.parametrize("what", DIFFERENCES)
    def test_seen(self, seen: Mapping[str, Seen], what: str) -> None:
        """What the page lists as a difference is one, on that way alone."""
        where, look = DIFFERENCES[what]
        report.differences[what] = where

        assert look(seen)
