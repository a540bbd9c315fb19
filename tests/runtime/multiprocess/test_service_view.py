from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model.kinds import MultiprocessMode
from otel_meta.runtime.multiprocess.descriptor import MetricDescriptor, describe
from otel_meta.runtime.multiprocess.merged_metric import MergedFamily, Share
from otel_meta.runtime.multiprocess.reader import MappedSeries
from tests.runtime.multiprocess.conftest import (
    DURATION,
    OPEN,
    TILES,
    ZOOM,
    Spawn,
    Tile,
    Worker,
    files,
)

random_bounds = st.lists(
    st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0]), min_size=1, unique=True
).map(sorted)


def spawn_two(spawn: Spawn) -> tuple[Worker, Worker]:
    """Start two workers that record the same into each kind of metric."""
    first, second = spawn(), spawn()
    for worker in (first, second):
        worker.live(TILES).add(2, style="dark")
        worker.live(OPEN).add(3, style="dark")
        worker.live(ZOOM).set(4, style="dark")
        worker.live(DURATION).record(0.5, style="dark")
    return first, second


def spawn_idle(spawn: Spawn) -> Worker:
    """Start a worker that declares every metric and records nothing."""
    worker = spawn()
    for instrument in (TILES, OPEN, ZOOM, DURATION):
        worker.live(instrument)
    return worker


class TestSums:
    def test_counter_is_summed_over_workers(self, spawn: Spawn) -> None:
        """A counter is the sum over all workers, in the answer of each."""
        first, second = spawn_two(spawn)

        assert 4.0 == first.scraped(TILES, style="dark") == second.scraped(TILES, style="dark")

    def test_updowncounter_is_summed_over_workers(self, spawn: Spawn) -> None:
        """An up-down counter is the sum over the workers."""
        first, _ = spawn_two(spawn)

        assert 6.0 == first.scraped(OPEN, style="dark")

    def test_histogram_is_summed_over_workers(self, spawn: Spawn) -> None:
        """A histogram is the sum over the workers, bucket by bucket."""
        first, _ = spawn_two(spawn)

        assert ([0, 2, 0, 0], 1.0) == first.scraped(DURATION, style="dark")


class TestRefresh:
    def test_page_after_refresh_shows_what_refresh_found(self, spawn: Spawn) -> None:
        """A page shows the series that an earlier refresh has found in the directory."""
        spawn_two(spawn)
        third = spawn()

        third.view.refresh()

        assert 4.0 == third.scraped(TILES, style="dark")

    def test_refresh_finds_series_of_judged_metric(self, spawn: Spawn) -> None:
        """A refresh finds new series of a metric that an SLO reads, without a scrape."""
        first, second = spawn(), spawn()
        family = first.view.family(TILES)
        second.live(TILES).add(2, style="dark")

        first.view.refresh()

        assert [2.0] == [cell.value for cell in family.cells()]


class TestDeath:
    def test_counter_survives(self, spawn: Spawn) -> None:
        """A counter keeps the share of a dead worker."""
        first, second = spawn_two(spawn)
        first.die()

        assert 4.0 == second.scraped(TILES, style="dark")

    def test_updowncounter_ends(self, spawn: Spawn) -> None:
        """An up-down counter loses the share of a dead worker."""
        first, second = spawn_two(spawn)
        first.die()

        assert 3.0 == second.scraped(OPEN, style="dark")

    def test_histogram_survives(self, spawn: Spawn) -> None:
        """A histogram keeps the share of a dead worker."""
        first, second = spawn_two(spawn)
        first.die()

        assert ([0, 2, 0, 0], 1.0) == second.scraped(DURATION, style="dark")

    def test_totals_replace_worker_file(self, spawn: Spawn, directory: Path) -> None:
        """The totals replace the file of a dead worker."""
        first, second = spawn_two(spawn)
        first.die()
        second.view.refresh()

        assert ["totals"] == [name for name in files(directory) if not name.endswith(".worker")]
        assert 2 == len(files(directory))

    def test_totals_survive_all_workers(self, spawn: Spawn) -> None:
        """Totals continue when the whole service starts again."""
        for _ in range(3):
            worker = spawn()
            worker.live(TILES).add(1, style="dark")
            worker.die()

        assert 3.0 == spawn_idle(spawn).scraped(TILES, style="dark")

    def test_undeclared_metric_is_hidden(self, spawn: Spawn) -> None:
        """A metric of the totals is hidden while no living worker declares it."""
        worker = spawn()
        worker.live(TILES).add(1, style="dark")
        worker.die()

        assert {} == spawn().scraped_series(TILES.name)


class TestRemove:
    def test_removed_series_disappears(self, spawn: Spawn) -> None:
        """A removed series disappears from the answers of all workers."""
        first, second = spawn(), spawn()
        first.live(OPEN).add(1, style="dark")
        before = second.scraped_series(OPEN.name)
        first.live(OPEN).remove(style="dark")

        assert {("dark",): 1.0} == before
        assert {} == second.scraped_series(OPEN.name)

    def test_removed_series_can_return(self, spawn: Spawn) -> None:
        """A removed series starts from zero when it is recorded again."""
        first, second = spawn(), spawn()
        first.live(OPEN).add(1, style="dark")
        first.live(OPEN).remove(style="dark")
        second.view.refresh()
        first.live(OPEN).add(5, style="dark")

        assert {("dark",): 5.0} == second.scraped_series(OPEN.name)


class TestGauges:
    @pytest.mark.parametrize(
        ("mode", "expected"),
        [
            ("mostrecent", {(): 2.0}),
            ("sum", {(): 6.0}),
            ("max", {(): 4.0}),
            ("min", {(): 2.0}),
            ("all", {("0",): 4.0, ("1",): 2.0}),
        ],
    )
    def test_gauge_follows_mode(
        self, spawn: Spawn, mode: MultiprocessMode, expected: dict[tuple[str, ...], float]
    ) -> None:
        """A gauge is aggregated by its declared mode."""
        gauge = Gauge("atlas.memory", "Memory.", NoLabels, multiprocess_mode=mode)
        first, second = spawn(), spawn()
        first.live(gauge).set(4)
        second.live(gauge).set(2)

        assert expected == first.scraped_series("atlas.memory")

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [("mostrecent", [4.0]), ("sum", []), ("max", []), ("min", []), ("all", [])],
    )
    def test_only_latest_value_survives(
        self, spawn: Spawn, mode: MultiprocessMode, expected: list[float]
    ) -> None:
        """A dead worker's value survives in the mode mostrecent alone."""
        gauge = Gauge("atlas.memory", "Memory.", NoLabels, multiprocess_mode=mode)
        first, second = spawn(), spawn()
        first.live(gauge).set(4)
        second.live(gauge)
        first.die()
        second.view.refresh()

        assert expected == list(second.scraped_series("atlas.memory").values())

    def test_unset_gauge_is_ignored(self, spawn: Spawn) -> None:
        """A worker without a set gauge does not count as zero."""
        gauge = Gauge("atlas.memory", "Memory.", NoLabels, multiprocess_mode="min")
        first, second = spawn(), spawn()
        first.live(gauge).set(4)
        second.live(gauge)

        assert {(): 4.0} == second.scraped_series("atlas.memory")

    def test_worker_number_is_reused(self, spawn: Spawn) -> None:
        """The number of a dead worker is given to the next worker."""
        gauge = Gauge("atlas.memory", "Memory.", NoLabels, multiprocess_mode="all")
        first, second = spawn(), spawn()
        first.live(gauge).set(1)
        second.live(gauge).set(2)
        first.die()
        third = spawn()
        third.live(gauge).set(3)

        assert {("0",): 3.0, ("1",): 2.0} == third.scraped_series("atlas.memory")


class TestVersions:
    def test_new_label_is_empty_on_old_series(self, spawn: Spawn) -> None:
        """A label of the newer version is empty on series of the older version."""

        @labels
        class Newer:
            size: str
            style: str

        old, new = spawn(), spawn()
        old.live(TILES).add(1, style="dark")
        new.live(Counter("atlas.tiles", "Tiles.", Newer)).add(2, style="dark", size="big")

        expected = {("", "dark"): 1.0, ("big", "dark"): 2.0}
        assert expected == old.scraped_series("atlas.tiles")

    def test_removed_label_is_summed_over(self, spawn: Spawn) -> None:
        """Series that differ only in a removed label are added."""

        @labels
        class Longer:
            size: str
            style: str

        old, new = spawn(), spawn()
        old.live(Counter("atlas.tiles", "Tiles.", Longer)).add(1, style="dark", size="big")
        old.live(Counter("atlas.tiles", "Tiles.", Longer)).add(2, style="dark", size="small")
        new.live(TILES).add(4, style="dark")

        assert {("dark",): 7.0} == new.scraped_series("atlas.tiles")

    def test_older_kind_is_hidden(self, spawn: Spawn) -> None:
        """Of two kinds of a metric, the older is hidden and counted as a fault."""
        old, new = spawn(), spawn()
        old.live(TILES).add(1, style="dark")
        new.live(UpDownCounter("atlas.tiles", "Tiles.", Tile)).add(-5, style="dark")

        assert {("dark",): -5.0} == old.scraped_series("atlas.tiles")
        assert 1.0 == old.faults_by_reason()["other version"]

    @given(old=random_bounds, new=random_bounds, data=st.data())
    def test_buckets_are_converted(
        self, old: list[float], new: list[float], data: st.DataObject
    ) -> None:
        """Conversion of buckets keeps count and sum, and the counts at bounds of both versions."""
        length = len(old) + 1
        counts = data.draw(st.lists(st.integers(0, 9), min_size=length, max_size=length))
        converted, total = convert_buckets(old, new, counts)

        assert (sum(counts), 2.5) == (sum(converted), total)
        for bound in {*old, math.inf} & {*new, math.inf}:
            assert count_up_to(bound, old, counts) == count_up_to(bound, new, converted)
        for bound in new:
            assert count_up_to(bound, old, counts) >= count_up_to(bound, new, converted)


def histogram(bounds: list[float]) -> MetricDescriptor:
    """Return the descriptor of a histogram."""
    return describe(
        Histogram("atlas.duration", "Duration.", NoLabels, unit="s", buckets=tuple(bounds))
    )


def convert_buckets(
    old: list[float], new: list[float], counts: list[int]
) -> tuple[list[int], float]:
    """Return counts and sum of a histogram, converted from old bounds to new; the sum is 2.5."""
    words = memoryview(bytearray(8 * (len(counts) + 1))).cast("d")
    for index, number in enumerate((*counts, 2.5)):
        words[index] = number
    merged = MergedFamily(histogram(new))
    series = MappedSeries(histogram(old), (), 1, words, 0)
    merged.merge([Share(0, series.descriptor, [series])])
    (cell,) = merged.cells()
    converted: tuple[list[int], float] = cell.snapshot()
    return converted


def count_up_to(limit: float, bounds: list[float], counts: list[int]) -> int:
    """Count the values known to be at most a limit."""
    pairs = zip((*bounds, math.inf), counts, strict=True)
    return sum(count for bound, count in pairs if bound <= limit)


class TestCardinality:
    def test_limit_holds_for_the_service(self, spawn: Spawn) -> None:
        """Series over the limit of the service are added to the overflow series."""
        first, second = spawn(max_series=5), spawn(max_series=5)
        for number in range(4):
            first.live(TILES).add(1, style=f"first {number}")
            second.live(TILES).add(1, style=f"second {number}")
        series = second.scraped_series(TILES.name)

        assert 6 == len(series)
        assert 3.0 == series["otel.metric.overflow",]
        assert 8.0 == sum(series.values())

    def test_death_moves_no_series(self, spawn: Spawn) -> None:
        """The death of a worker moves no series into or out of the overflow series."""
        first, second = spawn(max_series=5), spawn(max_series=5)
        for number in range(4):
            first.live(TILES).add(1, style=f"first {number}")
            second.live(TILES).add(1, style=f"second {number}")
        before = second.scraped_series(TILES.name)
        first.die()

        assert before == second.scraped_series(TILES.name)

    def test_totals_are_limited(self, spawn: Spawn) -> None:
        """Totals of many workers, each dead before the next, stay within the limit."""
        for generation in range(5):
            worker = spawn(max_series=5)
            for number in range(5):
                worker.live(TILES).add(1, style=f"{generation} {number}")
            worker.die()
        last = spawn(max_series=5)
        last.live(TILES)
        series = last.scraped_series(TILES.name)

        assert 25.0 == sum(series.values())
        assert 6 == len(series)

    def test_living_series_are_ranked_in_compaction(self, spawn: Spawn) -> None:
        """A series stays within the limit if a living worker began it before others."""
        living, first, second = (spawn(max_series=2) for _ in range(3))
        for worker, style in ((living, "x"), (first, "y"), (first, "v"), (second, "x")):
            worker.live(TILES).add(1, style=style)
        before = living.scraped_series(TILES.name)
        first.die()
        second.die()

        assert {("x",): 2.0, ("y",): 1.0, ("otel.metric.overflow",): 1.0} == before
        assert before == living.scraped_series(TILES.name)

    def test_series_gauges_are_of_the_service(self, spawn: Spawn) -> None:
        """The number of series and the limit are shown for the service."""
        first, second = spawn(), spawn()
        first.live(TILES).add(1, style="a")
        second.live(TILES).add(1, style="b")

        assert 2.0 == first.scraped_series("otel_meta.series")["atlas_tiles_total",]
        assert 2000.0 == first.scraped_series("otel_meta.series.limit")["atlas_tiles_total",]


class TestExemplars:
    def test_exemplar_is_of_answering_worker(self, spawn: Spawn) -> None:
        """A series has the exemplar of the worker that answers."""
        first, second = spawn(), spawn()
        first.live(TILES).add(1, style="a")
        second.live(TILES).add(1, style="a")
        (cell,) = first.storage.family(TILES).cells()
        cell.exemplar = exemplar = object()

        assert scraped_exemplar(first) is exemplar
        assert scraped_exemplar(second) is None


def scraped_exemplar(worker: Worker) -> object:
    """Scrape the exemplar of the only series of TILES."""
    (family,) = (f for f in worker.view.families() if f.instrument.name == TILES.name)
    (cell,) = family.cells()
    return cell.exemplar
