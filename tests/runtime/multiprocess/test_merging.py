from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.multiprocess.merging import added, latest, within_limit
from otel_meta.runtime.recording.family import OVERFLOW

names = st.text("abc", max_size=3).map(lambda name: (name,))
found = st.dictionaries(names, st.lists(st.tuples(st.integers(0, 9), st.integers()), min_size=1))


class TestWithinLimit:
    @given(found=found, limit=st.integers(1, 5))
    def test_nothing_lost(
        self, found: dict[tuple[str, ...], list[tuple[int, int]]], limit: int
    ) -> None:
        """Every part is somewhere, and at most so many series have a place of their own."""
        limited = within_limit(found, limit)
        own = [labels for labels in limited if labels is not OVERFLOW]

        assert sorted(p for parts in found.values() for p in parts) == sorted(
            p for parts in limited.values() for p in parts
        )
        assert len(own) == min(limit, len(found))

    @given(found=found, more=found, limit=st.integers(1, 5))
    def test_stays(
        self,
        found: dict[tuple[str, ...], list[tuple[int, int]]],
        more: dict[tuple[str, ...], list[tuple[int, int]]],
        limit: int,
    ) -> None:
        """A series that has its place keeps it, whatever begins later."""
        later = {labels: [(100 + at, n) for at, n in parts] for labels, parts in more.items()}
        together = {labels: [*found.get(labels, []), *later.get(labels, [])] for labels in later}

        assert set(within_limit(found, limit)) - {OVERFLOW} <= set(
            within_limit(found | together, limit)
        )

    def test_overflow(self) -> None:
        """What was over the limit before joins what is over it now."""
        parts = {("a",): [(1, "a")], ("b",): [(2, "b")], OVERFLOW: [(0, "before")]}

        assert {("a",): [(1, "a")], OVERFLOW: [(0, "before"), (2, "b")]} == within_limit(parts, 1)


class TestSums:
    def test_added(self) -> None:
        """Counts are added bucket by bucket."""
        assert [4.0, 6.0] == added([[1.0, 2.0], [3.0, 4.0]])

    def test_latest(self) -> None:
        """Of a gauge's values the one set last counts."""
        assert [7.0, 20.0] == latest([[9.0, 10.0], [7.0, 20.0], [8.0, 0.0]])
