"""A month in a real Prometheus: the ratios of the rules against the true ratios of events."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pytest

from otel_meta.model import Counter, Histogram, MetaRepo, Slo, labels
from otel_meta.render.options import Options
from otel_meta.render.rules.recording_rules import error_ratio, slo_records
from otel_meta.render.rules.series_names import SMOOTHED
from otel_meta.repos import BUILTIN
from tests.rules.prometheus_server import Prometheus, backfill, prometheus
from tests.rules.raw_series import identity, label_text

HOUR: Final = 60
DAY: Final = 24 * HOUR
PERIOD: Final = 30 * DAY
MINUTES: Final = 31 * DAY
END: Final = 1_700_000_400
"""A multiple of five minutes."""
START: Final = END - MINUTES * 60

LATE: Final = 30
"""Seconds from the last evaluation to each multiple of five minutes."""

BOUND: Final = 0.01
"""The largest allowed relative error."""
BOUNDS: Final = {"deploy": 0.03}
"""The increase of a new series is unknown before its second sample, so a minute is lost."""
MOST_SAMPLES: Final = 20_000


@labels
class Call:
    outcome: Literal["ok", "failed"]
    build: str = "one"


@labels
class Reply:
    route: str = "all"


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles, with an SLO for each scenario."""

    calls = Counter("atlas.calls", "Calls answered.", Call)
    duration = Histogram(
        "atlas.reply.duration", "Time to reply.", Reply, unit="s", buckets=(0.05, 0.1)
    )

    calls_answered = Slo(
        "atlas-calls",
        objective="99.9%",
        period="30d",
        sli=calls.ratio(bad=calls.where(outcome="failed")),
        why="A map without tiles is grey.",
    )
    replies_p95 = Slo(
        "atlas-replies-p95",
        objective="95%",
        period="30d",
        sli=duration.within(0.05),
        why="A map that is slow is closed.",
    )
    replies_p99 = Slo(
        "atlas-replies-p99",
        objective="99%",
        period="30d",
        sli=duration.within(0.1),
        why="A map that is slow is closed.",
    )


Minute = tuple[int, int]
"""Bad and all events of one minute."""


def _busy_day(minute: int) -> bool:
    """One hour a day has most of the traffic."""
    return (minute - 2) % DAY < HOUR  # two minutes beside any five-minute boundary


def busy(minute: int) -> Minute:
    """The errors occur in the busy hours."""
    return (1_000, 10_000) if _busy_day(minute) else (0, 20)


def quiet(minute: int) -> Minute:
    """The errors occur in a quiet hour each day."""
    return (0, 10_000) if _busy_day(minute) else (1 if minute % DAY < 2 * HOUR else 0, 20)


def idle(minute: int) -> Minute:
    """One hour of the month without an event."""
    away = 0 <= minute - 20 * DAY < HOUR
    return (0, 0) if away else (1, 100)


def clock(minute: int) -> Minute:
    """A job fails every tenth minute."""
    return (1 if minute % 10 == 0 else 0, 100)


RELEASES: Final = (6 * DAY + 3, 20 * DAY + 3)
"""The minutes of restarts, two minutes from any multiple of five minutes."""


def release(minute: int) -> Minute:
    """Half an hour of failures follows each release, and nothing else fails."""
    fails = any(0 <= minute - at < HOUR // 2 for at in RELEASES)
    return (500 if fails else 0, 1_000)


SCENARIOS: Final[dict[str, Callable[[int], Minute]]] = {
    "busy": busy,
    "quiet": quiet,
    "idle": idle,
    "reset": release,
    "deploy": release,
    "clock": clock,
}


@dataclass(frozen=True)
class Month:
    """A Prometheus with a month of raw series and of the rules' five-minute layer."""

    served: Prometheus

    def ratio(self, slo: Slo, service: str) -> float:
        """Return the ratio of the generated rule at the end of the period."""
        values, _ = self.served.ask(error_ratio(slo, slo.period), END)
        return values[service]

    def mean_of_ratios(self, service: str, guard: str = " > 0") -> float:
        """Return the ratio of Sloth's default rule: every five minutes have equal weight."""
        mine = '{slo="atlas-calls"}'
        each = f"(slo:bad:increase5m{mine} / (slo:total:increase5m{mine}{guard}))[30d:5m]"
        values, _ = self.served.ask(f"sum_over_time({each}) / count_over_time({each})", END)
        return values[service]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """All scenarios at once: each is a service."""
    folder = tmp_path_factory.mktemp("month")
    raw, layer, data = folder / "raw.om", folder / "layer.om", folder / "data"
    _write(raw, _raw())
    backfill(raw, data)
    with prometheus(data.parent) as before:
        _write(layer, _layer(before))
    backfill(layer, data)
    with prometheus(data.parent) as served:
        yield Month(served)


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w") as out:
        out.writelines(lines)
        out.write("# EOF\n")


def _layer(served: Prometheus) -> Iterator[str]:
    """What the first rules of each SLO record: of each five minutes, and what a period reads.

    Rules are evaluated each minute at some second of it, so that a period, which reads on the
    minute, finds what was recorded up to a minute ago.
    """
    for slo in Atlas.slos.values():
        for record in list(slo_records(Atlas, slo, Options()))[:2]:
            smoothed = f"avg_over_time(({record.expr})[5m:1m])"
            names = {record.record: record.expr, SMOOTHED[record.record]: smoothed}
            for name, expr in names.items():
                for service, at, value in served.course(expr, START + 300 - LATE, END):
                    mine = {"slo": slo.name, **identity(Atlas, service)}
                    yield f"{name}{label_text(mine)} {value} {at}\n"


def _raw() -> Iterator[str]:
    for service, events in SCENARIOS.items():
        for outcome in ("ok", "failed"):
            yield from _calls(service, outcome, events)
    yield from _replies("latency")


def _calls(service: str, outcome: str, events: Callable[[int], Minute]) -> Iterator[str]:
    count = 0
    for minute in range(MINUTES + 1):
        bad, total = events(minute)
        count += bad if outcome == "failed" else total - bad
        build = "one"
        if service in ("reset", "deploy") and minute in RELEASES:
            count = bad if outcome == "failed" else total - bad
        if service == "deploy" and minute >= RELEASES[-1]:
            build = "two"  # another series, where "reset" goes on with the same one
        yield _line("atlas_calls_total", service, minute, count, outcome=outcome, build=build)


def _replies(service: str) -> Iterator[str]:
    """Yield 1,000 replies a minute, 940 within 50 ms and 985 within 100 ms."""
    for name, le, each in (
        ("bucket", "0.05", 940),
        ("bucket", "0.1", 985),
        ("bucket", "+Inf", 1000),
        ("count", "", 1000),
    ):
        for minute in range(MINUTES + 1):
            more = {"le": le} if le else {}
            family = f"atlas_reply_duration_seconds_{name}"
            yield _line(family, service, minute, each * (minute + 1), **more)


def _line(name: str, service: str, minute: int, value: float, **more: str) -> str:
    mine = label_text(identity(Atlas, service) | more)
    return f"{name}{mine} {value} {START + minute * 60}\n"


def report(line: str) -> None:
    """Print a measurement, visible with -rP."""
    sys.stdout.write(f"{line}\n")


def truth(service: str) -> float:
    """Return the true ratio: bad events by all events of the period."""
    minutes = map(SCENARIOS[service], range(MINUTES - PERIOD + 1, MINUTES + 1))
    counts = list(minutes)
    return sum(bad for bad, _ in counts) / sum(total for _, total in counts)


@pytest.mark.parametrize("service", SCENARIOS)
def test_ratio_of_30_days_is_weighted_by_events_within_bound(month: Month, service: str) -> None:
    """The ratio of 30 days is weighted by events within the bound."""
    said, true = month.ratio(Atlas.calls_answered, service), truth(service)
    report(f"{service}: true {true:.6e}, said {said:.6e}, off by {said / true - 1:+.2e}")

    assert said == pytest.approx(true, rel=BOUNDS.get(service, BOUND))


@pytest.mark.parametrize("service", ["busy", "quiet"])
def test_mean_of_five_minute_ratios_misses_bound_negative_control(
    month: Month, service: str
) -> None:
    """A mean of five-minute ratios misses the bound (negative control)."""
    said, true = month.mean_of_ratios(service), truth(service)
    report(f"{service}: true {true:.6e}, a mean of ratios says {said:.6e}, {said / true:.3g} times")

    assert not 0.5 < said / true < 2


def test_one_hour_without_events_makes_unguarded_mean_nan(month: Month) -> None:
    """One hour without events makes an unguarded mean NaN (negative control)."""
    assert math.isnan(month.mean_of_ratios("idle", guard=""))


@pytest.mark.parametrize(("slo", "true"), [(Atlas.replies_p95, 0.06), (Atlas.replies_p99, 0.015)])
def test_two_slos_of_one_histogram_have_two_ratios(month: Month, slo: Slo, true: float) -> None:
    """Two SLOs of one histogram have two ratios."""
    assert month.ratio(slo, "latency") == pytest.approx(true, rel=1e-6)


def test_ratio_of_30_days_reads_at_most_20_000_samples(month: Month) -> None:
    """A ratio of 30 days reads at most 20,000 samples per service."""
    slo = Atlas.calls_answered
    values, read = month.served.ask(error_ratio(slo, slo.period), END)
    each = read / len(values)
    # Of each SLO's period, so many days; and one service each.
    days = sum(slo.period.seconds // 86_400 for repo in BUILTIN for slo in repo.slos.values())
    report(f"30 days: {each:.0f} samples; the catalogue's periods: {each / 30 * days:.0f}")

    assert each <= MOST_SAMPLES
