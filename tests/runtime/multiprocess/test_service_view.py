from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.runtime.multiprocess.descriptor import declared
from otel_meta.runtime.multiprocess.merged_metric import MergedFamily
from otel_meta.runtime.multiprocess.reader import Series
from tests.runtime.multiprocess.conftest import DURATION, OPEN, TILES, ZOOM, Hiring, Tile, files

if TYPE_CHECKING:
    from pathlib import Path

bounds = st.lists(st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0]), min_size=1, unique=True)


class TestSums:
    def test_all_workers(self, hire: Hiring) -> None:
        """Counters, histograms and up-down counters are summed over the workers."""
        one, two = hire(), hire()
        for worker in (one, two):
            worker.of(TILES).add(2, style="dark")
            worker.of(OPEN).add(3, style="dark")
            worker.of(DURATION).record(0.5, style="dark")

        assert one.shows(TILES, style="dark") == two.shows(TILES, style="dark") == 4.0
        assert 6.0 == one.shows(OPEN, style="dark")
        assert ([0, 2, 0, 0], 1.0) == one.shows(DURATION, style="dark")

    def test_the_dead(self, hire: Hiring, numbers: Path) -> None:
        """Of the dead, what was counted stays, and what was open is open no more."""
        one, two = hire(), hire()
        for worker in (one, two):
            worker.of(TILES).add(2, style="dark")
            worker.of(OPEN).add(3, style="dark")
            worker.of(DURATION).record(0.5, style="dark")
        one.die()

        assert 4.0 == two.shows(TILES, style="dark")
        assert 3.0 == two.shows(OPEN, style="dark")
        assert ([0, 2, 0, 0], 1.0) == two.shows(DURATION, style="dark")
        assert ["totals"] == [name for name in files(numbers) if not name.endswith(".worker")]
        assert 2 == len(files(numbers))

    def test_all_dead(self, hire: Hiring) -> None:
        """A service that starts anew goes on where it was."""
        for _ in range(3):
            worker = hire()
            worker.of(TILES).add(1, style="dark")
            worker.die()

        assert 3.0 == hire_and_declare(hire).shows(TILES, style="dark")

    def test_not_declared(self, hire: Hiring) -> None:
        """What no living worker declares is not shown; it is when one does again."""
        worker = hire()
        worker.of(TILES).add(1, style="dark")
        worker.die()
        other = hire()

        assert {} == other.all(TILES.name)

    def test_removed(self, hire: Hiring) -> None:
        """A series that was removed is gone for all, and may come again."""
        one, two = hire(), hire()
        one.of(OPEN).add(1, style="dark")
        before = two.all(OPEN.name)
        one.of(OPEN).remove(style="dark")
        without = two.all(OPEN.name)
        one.of(OPEN).add(5, style="dark")

        assert {("dark",): 1.0} == before
        assert {} == without
        assert {("dark",): 5.0} == two.all(OPEN.name)


def hire_and_declare(hire: Hiring) -> Any:
    """A worker that has the metrics and has recorded nothing."""
    worker = hire()
    for instrument in (TILES, OPEN, ZOOM, DURATION):
        worker.of(instrument)
    return worker


class TestGauges:
    @pytest.mark.parametrize(
        ("multiprocess_mode", "shown"),
        [
            ("mostrecent", {(): 2.0}),
            ("sum", {(): 6.0}),
            ("max", {(): 4.0}),
            ("min", {(): 2.0}),
            ("all", {("0",): 4.0, ("1",): 2.0}),
        ],
    )
    def test_across(
        self, hire: Hiring, multiprocess_mode: Any, shown: dict[tuple[str, ...], float]
    ) -> None:
        """A gauge shows what it declares to."""
        gauge = Gauge("atlas.memory", "Memory.", NoLabels, multiprocess_mode=multiprocess_mode)
        one, two = hire(), hire()
        one.of(gauge).set(4)
        two.of(gauge).set(2)

        assert shown == one.all("atlas.memory")

    @pytest.mark.parametrize("multiprocess_mode", ["mostrecent", "sum", "max", "min", "all"])
    def test_of_the_dead(self, hire: Hiring, multiprocess_mode: Any) -> None:
        """Only the latest value outlives who set it."""
        gauge = Gauge("atlas.memory", "Memory.", NoLabels, multiprocess_mode=multiprocess_mode)
        one, two = hire(), hire()
        one.of(gauge).set(4)
        two.of(gauge)
        one.die()
        two.view.refresh()

        assert ([4.0] if multiprocess_mode == "mostrecent" else []) == list(
            two.all("atlas.memory").values()
        )

    def test_unset(self, hire: Hiring) -> None:
        """A worker that has not set a gauge has no part in it."""
        gauge = Gauge("atlas.memory", "Memory.", NoLabels, multiprocess_mode="min")
        one, two = hire(), hire()
        one.of(gauge).set(4)
        two.of(gauge)

        assert {(): 4.0} == two.all("atlas.memory")

    def test_slots(self, hire: Hiring) -> None:
        """The number of a worker that died is given to the next."""
        gauge = Gauge("atlas.memory", "Memory.", NoLabels, multiprocess_mode="all")
        one, two = hire(), hire()
        one.of(gauge).set(1)
        two.of(gauge).set(2)
        one.die()
        three = hire()
        three.of(gauge).set(3)

        assert {("0",): 3.0, ("1",): 2.0} == three.all("atlas.memory")


class TestVersions:
    def test_labels(self, hire: Hiring) -> None:
        """A label that a version lacks is empty, one that it gave up is summed over."""

        @labels
        class Newer:
            size: str
            style: str

        newer = Counter("atlas.tiles", "Tiles.", Newer)
        old, new = hire(), hire()
        old.of(TILES).add(1, style="dark")
        new.of(newer).add(2, style="dark", size="big")

        assert {("", "dark"): 1.0, ("big", "dark"): 2.0} == old.all("atlas.tiles")
        new.die()
        assert {("dark",): 3.0} == old.all("atlas.tiles")

    def test_kind(self, hire: Hiring) -> None:
        """A metric of another kind is another metric: the older is left out, and counted."""
        old, new = hire(), hire()
        old.of(TILES).add(1, style="dark")
        new.of(UpDownCounter("atlas.tiles", "Tiles.", Tile)).add(-5, style="dark")

        assert {("dark",): -5.0} == old.all("atlas.tiles")
        assert 1.0 == old.reasons()["other version"]

    @given(old=bounds.map(sorted), new=bounds.map(sorted), data=st.data())
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_buckets(self, old: list[float], new: list[float], data: st.DataObject) -> None:
        """Counts keep their number, and at a bound that both have, what is below it."""
        counts = data.draw(
            st.lists(st.integers(0, 9), min_size=len(old) + 1, max_size=len(old) + 1)
        )
        merged = MergedFamily(histogram(new))
        words = memoryview(bytearray(8 * (len(counts) + 1))).cast("d")
        for index, number in enumerate((*counts, 2.5)):
            words[index] = number
        merged.put_together([(0, Series(histogram(old), (), 1, words, 0))])
        (cell,) = merged.cells()
        fitted, total = cell.snapshot()

        assert (sum(counts), 2.5) == (sum(fitted), total)
        for bound in {*old, math.inf} & {*new, math.inf}:
            assert below(bound, old, counts) == below(bound, new, fitted)
        for bound in new:
            assert below(bound, old, counts) >= below(bound, new, fitted)


def histogram(bounds: list[float]) -> Any:
    """A histogram with these buckets."""
    return declared(
        Histogram("atlas.duration", "Duration.", NoLabels, unit="s", buckets=tuple(bounds))
    )


def below(limit: float, bounds: list[float], counts: list[int]) -> int:
    """How many values are known to be at a limit or below."""
    pairs = zip((*bounds, math.inf), counts, strict=True)
    return sum(count for bound, count in pairs if bound <= limit)


class TestLimit:
    def test_sum(self, hire: Hiring) -> None:
        """The limit holds for the service; what is over it is in one series, whoever dies."""
        one, two = hire(max_series=5), hire(max_series=5)
        for number in range(4):
            one.of(TILES).add(1, style=f"one {number}")
            two.of(TILES).add(1, style=f"two {number}")
        before = two.all(TILES.name)
        one.die()
        after = two.all(TILES.name)

        assert before == after
        assert 6 == len(before)
        assert 3.0 == before["otel.metric.overflow",]
        assert 8.0 == sum(before.values())

    def test_dead_after_dead(self, hire: Hiring) -> None:
        """Workers that die one after the other do not make the totals grow without end."""
        for round_ in range(5):
            worker = hire(max_series=5)
            for number in range(5):
                worker.of(TILES).add(1, style=f"{round_} {number}")
            worker.die()
        last = hire(max_series=5)
        last.of(TILES)

        assert 25.0 == sum(last.all(TILES.name).values())
        assert 6 == len(last.all(TILES.name))

    def test_the_living_decide(self, hire: Hiring) -> None:
        """A living worker's series keeps its place when the dead of the same one are folded."""
        living, one, two = (hire(max_series=2) for _ in range(3))
        for worker, style in ((living, "x"), (one, "y"), (one, "v"), (two, "x")):
            worker.of(TILES).add(1, style=style)
        before = living.all(TILES.name)
        one.die()
        two.die()

        assert {("x",): 2.0, ("y",): 1.0, ("otel.metric.overflow",): 1.0} == before
        assert before == living.all(TILES.name)

    def test_said(self, hire: Hiring) -> None:
        """How full a metric is, is told of the service."""
        one, two = hire(), hire()
        one.of(TILES).add(1, style="a")
        two.of(TILES).add(1, style="b")

        assert 2.0 == one.all("otel_meta.series")["atlas_tiles_total",]
        assert 2000.0 == one.all("otel_meta.series.limit")["atlas_tiles_total",]


class TestExemplars:
    def test_own(self, hire: Hiring) -> None:
        """A series has the exemplar that this process has for it, and those of no other."""
        one, two = hire(), hire()
        one.of(TILES).add(1, style="a")
        two.of(TILES).add(1, style="a")
        (cell,) = one.storage.family(TILES).cells()
        cell.exemplar = exemplar = object()

        def shown(worker: Any) -> object:
            (merged,) = next(f for f in worker.view.families() if f.of.name == TILES.name).cells()
            return merged.exemplar

        assert shown(one) is exemplar
        assert shown(two) is None
