"""Recordings of three SLOs of nine services over 31 days, as the rules would have left them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from otel_meta import Counter, MetaRepo, NoLabels, Slo
from otel_meta.repos import Nebula
from tests.backends.query_engines import PromtoolSeries
from tests.rules.raw_series import label_text


class Shop(MetaRepo, name="shop", owner="us"):
    """A shop, of which the SLO was given another name five days ago."""

    orders = Counter("shop.orders", "Orders.", NoLabels)
    lost = Counter("shop.lost", "Lost orders.", NoLabels)
    delivery = Slo(
        "shop-delivery",
        objective="99%",
        period="30d",
        sli=orders.ratio(bad=lost),
        why="Customers wait.",
        formerly=("shop-orders",),
    )


END = 1_760_000_400
"""The present: seconds since 1970."""
STEP = 240
"""Seconds from one sample to the next."""
DAY = 86_400
TIMES = range(END - 31 * DAY, END + 1, STEP)
LATELY = range(END - 600, END + 1, 60)
"""The times of the recordings of which the present value matters alone."""
AVAILABILITY, LATENCY = Nebula.api_availability, Nebula.api_latency
PER_STEP = 100
"""Events of a service from one sample to the next."""
EXCUSED = 10 * DAY // STEP
"""Samples of a correction that began twenty days ago, and ended ten days ago."""
OLD, NEW = (("shop-orders", Shop.name), (Shop.delivery.name, Shop.name))
"""Name and meta-repository of the SLO before and after its change of name."""
HOLE = (DAY // 2 // STEP, 3 * DAY // 2 // STEP)
"""Samples from the first one to the hole around the beginning of the period, and to its end."""
NOW: Mapping[str, float] = {
    "slo:error_ratio:5m": 0.02,
    "slo:error_ratio:1h": 0.02,
    "slo:error_ratio:30m": 0.02,
    "slo:error_ratio:6h": 0.02,
    "slo:error_ratio:2h": 0.02,
    "slo:error_ratio:1d": 0.02,
    "slo:error_ratio:3d": 0.02,
    "slo:bad:increase1h": 30,
    "slo:bad:increase6h": 180,
    "slo:bad:increase1d": 720,
    "slo:bad:increase3d": 2160,
}
"""The recordings of a burning service."""

Store = Callable[[PromtoolSeries, Sequence[int]], None]


def store_history(store: Store) -> None:
    """Store the recordings of every service.

    Args:
        store: stores series with their samples at these times.
    """
    last = len(TIMES) - 1
    store(
        {
            **_counts("fine", f"0+{PER_STEP}x{last}", f"0x{last}"),
            **_counts("breached", f"0+{PER_STEP}x{last}", f"0+2x{last}"),
            **_counts("young", f"0+{PER_STEP}x{last}", f"0+2x{last}"),
            **_counts("twin", f"0+{PER_STEP}x{last}", f"0x{last}", cluster="north"),
            **_counts("twin", f"0+{PER_STEP}x{last}", f"0+2x{last}", cluster="south"),
            **_counts("ended", f"0+{PER_STEP}x{last}", f"0x{last}"),
            **_counts("excused", f"0+{PER_STEP}x{last}", f"0+2x{last}"),
            **_counts("fine", f"0+{PER_STEP}x{last}", f"0+1x{last}", slo=LATENCY.name),
            **_counts("other", f"0+{PER_STEP}x{last}", f"0x{last}", slo="foreign-slo"),
        },
        TIMES,
    )
    renamed = len(TIMES) - 5 * DAY // STEP
    store(_counts("shop", f"0+{PER_STEP}x{renamed - 1}", f"0x{renamed - 1}", *OLD), TIMES[:renamed])
    begin, more = PER_STEP * renamed, len(TIMES) - renamed - 1
    store(_counts("shop", f"{begin}+{PER_STEP}x{more}", f"0x{more}", *NEW), TIMES[renamed:])
    before, after = HOLE
    store(_counts("paused", f"0+{PER_STEP}x{before - 1}", f"0x{before - 1}"), TIMES[:before])
    begin, more = PER_STEP * after, len(TIMES) - after - 1
    store(_counts("paused", f"{begin}+{PER_STEP}x{more}", f"0x{more}"), TIMES[after:])
    ended = TIMES[: -2 * DAY // STEP]
    store(_counts("gone", f"0+{PER_STEP}x{len(ended) - 1}", f"0x{len(ended) - 1}"), ended)
    store({name: f"{value!r}x{len(LATELY) - 1}" for name, value in _present().items()}, LATELY)


def _present() -> Mapping[str, float]:
    begin, end = (2.0 * (len(TIMES) - step) for step in (2 * EXCUSED, EXCUSED))
    return {
        **_now("shop", {"slo:period_coverage:ratio": 1.0, "slo:compliant:bool": 1.0}, *NEW),
        **_now("fine", {"slo:period_coverage:ratio": 1.0, "slo:compliant:bool": 1.0}),
        **_now("twin", {"slo:compliant:bool": 1.0}, cluster="north"),
        **_now("twin", {"slo:compliant:bool": 0.0}, cluster="south"),
        **_now("paused", {"slo:period_coverage:ratio": 1.0, "slo:compliant:bool": 1.0}),
        **_now("fine", {"slo:period_coverage:ratio": 1.0, "slo:compliant:bool": 1.0}, LATENCY.name),
        **_now("breached", {"slo:period_coverage:ratio": 1.0, "slo:compliant:bool": 0.0, **NOW}),
        **_now("young", {"slo:period_coverage:ratio": 0.1, "slo:compliant:bool": 0.0, **NOW}),
        **_now(
            "excused",
            {
                "slo:period_coverage:ratio": 1.0,
                "slo:compliant:bool": 1.0,
                "slo:bad:excluded_period": 2.0 * EXCUSED,
                "slo:total:excluded_period": float(PER_STEP * EXCUSED),
                "slo:error_ratio:1h": 0.02,
                "slo:bad:increase1h": 30,
                "slo:bad:kept1h": 10,
            },
        ),
        _series("slo:bad:correction_begin", "excused", AVAILABILITY.name, correction="c"): begin,
        _series("slo:bad:correction_end", "excused", AVAILABILITY.name, correction="c"): end,
        _series("ALERTS", "breached", AVAILABILITY.name, alertstate="firing", severity="page"): 1.0,
        _series("ALERTS", "young", AVAILABILITY.name, alertstate="pending", severity="page"): 1.0,
    }


def _counts(
    service: str,
    total: str,
    bad: str,
    slo: str = AVAILABILITY.name,
    repo: str = Nebula.name,
    **places: str,
) -> PromtoolSeries:
    return {
        _series("slo:total:cumulative", service, slo, repo, **places): total,
        _series("slo:bad:cumulative", service, slo, repo, **places): bad,
    }


def _now(
    service: str,
    values: Mapping[str, float],
    slo: str = AVAILABILITY.name,
    repo: str = Nebula.name,
    **places: str,
) -> Mapping[str, float]:
    return {_series(name, service, slo, repo, **places): value for name, value in values.items()}


def _series(name: str, service: str, slo: str, repo: str = Nebula.name, **more: str) -> str:
    labels = {"slo": slo, "service_namespace": repo, "service_name": service, **more}
    if name == "ALERTS":
        labels["alertname"] = "SloErrorBudgetBurnFast"
    return name + label_text(labels)
