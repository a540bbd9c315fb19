from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from otel_meta.model.slo.correction import Correction
from otel_meta.runtime.slo.past import POINTS
from otel_meta.status.events import Events

from .acme_calls import HOUR, Acme
from .kept_bench import NOON, Machine, Process


def correction(begin: float, end: float, slo: str = "", service: str = "") -> Correction:
    """Return a correction between two seconds after the start of the machine."""
    times = [datetime.fromtimestamp(NOON + each, UTC) for each in (begin, end)]
    return Correction(
        begin=times[0],
        end=times[1],
        reason="The network was repaired.",
        slos=(slo,) if slo else (),
        service={"service_name": service} if service else {},
    )


def corrected(path: Path, *corrections: Correction, hours: int = 3) -> Process:
    """Return a process after some hours with 10 bad of 100 events each."""
    process = Process(Machine(path), corrections=corrections)
    process.live(Acme.level).set(1)
    for _ in range(hours):
        process.happen(10, 90)
        process.run(HOUR)
    return process


@pytest.fixture(autouse=True)
def _disk(disk_without_delay: None) -> None:
    pass


class TestCorrection:
    def test_excluded_events_are_in_no_count(self, tmp_path: Path) -> None:
        """The events of a correction are neither bad nor in total, and shown as excluded."""
        status = corrected(tmp_path / "slo", correction(HOUR - 20, 2 * HOUR - 20)).status()

        assert (Events(20.0, 200.0), Events(10.0, 100.0)) == (status.events, status.excluded)

    def test_burn_rate_is_that_without_excluded_events(self, tmp_path: Path) -> None:
        """A burn rate leaves out the excluded events, and is none if nothing else happened."""
        rates = corrected(tmp_path / "slo", correction(2 * HOUR - 20, 3 * HOUR)).status().burn_rates

        assert (None, 10.0) == (rates["1h"], round(rates["6h"] or 0.0, 9))

    def test_overlapping_corrections_exclude_event_once(self, tmp_path: Path) -> None:
        """Overlapping corrections exclude an event once."""
        spans = [(HOUR - 20, HOUR + 600), (HOUR - 300, 2 * HOUR - 20), (HOUR, HOUR + 60)]
        status = corrected(tmp_path / "slo", *(correction(*span) for span in spans)).status()

        assert (Events(20.0, 200.0), Events(10.0, 100.0)) == (status.events, status.excluded)

    def test_correction_that_begins_before_history_and_ends_in_future_excludes_everything(
        self, tmp_path: Path
    ) -> None:
        """A correction of more than the history excludes everything, and there is no data."""
        status = corrected(tmp_path / "slo", correction(-HOUR, 9 * HOUR)).status()

        assert ("no_data", Events(30.0, 300.0)) == (status.state, status.excluded)
        assert () == status.burn_down

    @pytest.mark.parametrize(
        ("slo", "service", "excluded"),
        [
            ("acme-availability", "checkout", 10.0),
            ("acme-steadiness", "checkout", 0.0),
            ("acme-availability", "shop", 0.0),
        ],
    )
    def test_correction_is_about_its_slos_and_services(
        self, tmp_path: Path, slo: str, service: str, excluded: float
    ) -> None:
        """A correction is about its own SLOs and services."""
        only = correction(HOUR - 20, 2 * HOUR - 20, slo, service)

        assert excluded == corrected(tmp_path / "slo", only).status().excluded.bad

    def test_correction_after_restart_is_that_of_one_known_before(self, tmp_path: Path) -> None:
        """A correction that is added after a restart gives the status of one known before."""
        span = correction(HOUR - 20, 2 * HOUR - 20)
        known = corrected(tmp_path / "known", span).status()
        first = corrected(tmp_path / "added")
        first.kill()
        added = Process(first.machine, corrections=(span,)).status()

        assert (known.events, known.excluded, known.burns) == (
            added.events,
            added.excluded,
            added.burns,
        )

    def test_excluded_time_slices_are_seconds(self, tmp_path: Path) -> None:
        """A correction of a gauge's SLO excludes seconds, at most one step too many or too few."""
        status = corrected(tmp_path / "slo", correction(605, 1205)).status(Acme.steadiness)

        assert 600.0 == pytest.approx(status.excluded.total, abs=20)
        assert 3.0 * HOUR == pytest.approx(status.events.total + status.excluded.total)


class TestBurnDown:
    def test_budget_falls_from_whole_to_what_is_left(self, tmp_path: Path) -> None:
        """The burn-down begins with the whole budget, never rises, and ends with what is left."""
        status = corrected(tmp_path / "slo", correction(HOUR - 20, 2 * HOUR - 20)).status()
        left = [point.left for point in status.burn_down]

        assert 1.0 == left[0]
        assert sorted(left, reverse=True) == left
        assert status.budget.left == pytest.approx(left[-1])

    def test_points_go_from_beginning_of_history_to_now(self, tmp_path: Path) -> None:
        """The points go from the beginning of the history to now."""
        ago = [point.seconds_ago for point in corrected(tmp_path / "slo").status().burn_down]

        assert (3.0 * HOUR, 0.0) == (ago[0], ago[-1])
        assert sorted(ago, reverse=True) == ago

    def test_full_period_has_at_most_120_points(self, tmp_path: Path) -> None:
        """A full period has at most 120 points."""
        process = Process(Machine(tmp_path / "slo"))
        for _ in range(8 * 24):
            process.happen(0, 10)
            process.run(HOUR, step=HOUR)
        points = process.status().burn_down

        assert POINTS - 2 <= len(points) <= POINTS == 120
        assert 7 * 24.0 * HOUR == pytest.approx(points[0].seconds_ago, rel=0.01)

    def test_without_events_there_is_no_burn_down(self, tmp_path: Path) -> None:
        """Without events there is no burn-down."""
        assert () == Process(Machine(tmp_path / "slo")).status().burn_down
