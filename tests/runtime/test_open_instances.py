from __future__ import annotations

import gc

from otel_meta.runtime.open_instances import OpenInstances
from otel_meta.runtime.telemetry import OPEN
from otel_meta.testing import capture


class Thing:
    """Anything."""


class TestOpenInstances:
    def test_instances_are_listed_from_add_to_discard_oldest_first(self) -> None:
        """Instances are listed from add to discard, oldest first."""
        first, second = Thing(), Thing()
        things: OpenInstances[Thing] = OpenInstances()
        things.add(first)
        things.add(second)

        assert [first, second] == list(things)
        things.discard(first)
        things.discard(first)
        assert [second] == list(things)

    def test_instance_is_not_kept_alive(self) -> None:
        """An instance is not kept alive."""
        things: OpenInstances[Thing] = OpenInstances()
        things.add(Thing())
        gc.collect()

        assert [] == list(things)

    def test_watcher_receives_instances_added_inside_its_block(self) -> None:
        """A watcher receives the instances that are added inside its block."""
        things: OpenInstances[Thing] = OpenInstances()
        kept = [Thing() for _ in range(3)]
        seen: list[Thing] = []
        things.add(kept[0])
        with things.watched_by(seen.append):
            things.add(kept[1])
        things.add(kept[2])

        assert [kept[1]] == seen


def test_captured_telemetry_is_no_telemetry_of_the_process() -> None:
    """Telemetry of a capture is not among the open telemetry of the process."""
    before = list(OPEN)
    with capture():
        assert before == list(OPEN)
    assert before == list(OPEN)
