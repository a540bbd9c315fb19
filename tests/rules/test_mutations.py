"""Mutations of the rules: each mistake must fail a case, or the cases would prove little."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import pytest

from tests.rules import burn_cases, declared_alert_cases, slo_state_cases
from tests.rules.promtool import Case

NEBULA: Final = "nebula-api-availability"
LATENCY: Final = "nebula-api-latency"
BREAKER: Final = "titan-circuit-breaker-availability"

Change = Callable[[str], str]
Make = Callable[[], Case]


def sub(pattern: str, to: str, count: int = 0) -> Change:
    """Return a change that replaces a pattern in every expression."""
    return lambda text: re.sub(pattern, to, text, count=count)


def swap(**pairs: str) -> Change:
    """Return a change that exchanges several words at once."""
    words = {name.replace("_", "."): to for name, to in pairs.items()}
    pattern = "|".join(rf"(?<=> ){re.escape(word)}\b" for word in words)
    return lambda text: re.sub(pattern, lambda found: words[found[0]], text)


LIMITS: Final = {"0_0144": "0.003", "0_003": "0.0144", "0_006": "0.001", "0_001": "0.006"}
page_1h = partial(burn_cases.fires, NEBULA, 0)
page_6h = partial(burn_cases.fires, NEBULA, 1)
ticket_1d = partial(burn_cases.fires, NEBULA, 2)

MUTATIONS: Final[Mapping[str, tuple[Change, Make]]] = {
    "page and ticket limits swapped, page": (
        swap(**LIMITS),
        partial(burn_cases.silent, NEBULA, "page"),
    ),
    "page and ticket limits swapped, ticket": (swap(**LIMITS), ticket_1d),
    "both page limits swapped": (swap(**{"0_0144": "0.006", "0_006": "0.0144"}), page_6h),
    "a limit too low": (sub("0.0144", "0.0120"), page_1h),
    "a limit too high": (sub("0.0144", "0.0173"), page_1h),
    "long or short": (sub(r"\n  and\n  slo", "\n  or\n  slo", 1), page_1h),
    "no short window": (sub(r"\n  and\n  slo:error_ratio:5m.*", "", 1), page_1h),
    "no long window": (sub(r"  slo:error_ratio:(1h|6h).*\n  and\n", ""), page_1h),
    "window pairs and not or": (sub(r"\nor\n\(", "\nand\n("), page_1h),
    "no least number of bad events": (
        sub(r"\n  and\n  slo:bad:\S+ > 2\.5", ""),
        partial(slo_state_cases.one_failure, NEBULA),
    ),
    "one bad event is enough": (
        sub(r"> 2\.5", "> 0.5"),
        partial(slo_state_cases.one_failure, NEBULA),
    ),
    "fires below the limit": (
        sub(r"> (0\.0)", r"< \1"),
        partial(burn_cases.silent, NEBULA, "page"),
    ),
    "no slo matcher": (sub(r'\{slo="[^"]+"\}', ""), slo_state_cases.same_histogram),
    "no namespace matcher": (
        sub(r'service_namespace="[^"]+",?', ""),
        slo_state_cases.other_repository,
    ),
    "services summed up": (
        sub(r"service_namespace, service_name", "service_namespace"),
        slo_state_cases.two_services,
    ),
    "no guard against nothing": (
        sub(r" > 0(\)|\n\))", r"\1"),
        partial(slo_state_cases.never_any_event, NEBULA),
    ),
    "no zero for what was never seen": (
        sub(r"\nor on \(.*\)\n0 \* .*", ""),
        partial(slo_state_cases.never_bad, NEBULA),
    ),
    "zero even without a total": (
        sub(r"\nor on \(.*\)\n0 \* .*", "\nor vector(0)"),
        partial(slo_state_cases.never_reported, NEBULA),
    ),
    "every event is bad": (sub(r',error_type!=""', ""), partial(slo_state_cases.never_bad, NEBULA)),
    "another bucket": (sub(r'le="0.1"', 'le="+Inf"'), partial(burn_cases.fires, LATENCY, 0)),
    "another period": (
        sub(r"offset 30d", "offset 1h"),
        partial(slo_state_cases.uneven_traffic, NEBULA),
    ),
    "exhausted while some is left": (
        sub(r">= 1\n", ">= 0\n"),
        partial(slo_state_cases.nearly_exhausted, NEBULA),
    ),
    "slices upside down": (sub("< bool", ">= bool"), partial(burn_cases.fires, BREAKER, 0)),
    "idle although it was idle a week ago": (
        sub(r"\nand\nslo:total:\S+ offset 7d >= 0\.5", ""),
        partial(slo_state_cases.idle_at_same_time, NEBULA),
    ),
    "no data while there is": (sub("unless", "and"), partial(slo_state_cases.short_gap, NEBULA)),
    "no data too early": (
        sub(r"\[6h:5m\]", "[1h:5m]"),
        partial(slo_state_cases.series_gone, NEBULA),
    ),
    "a declared bound upside down": (
        sub("> 0.01", "< 0.01"),
        partial(declared_alert_cases.silent, "TitanHighServiceErrorRate"),
    ),
    "a declared bound moved": (
        sub(" > 80", " > 82"),
        partial(declared_alert_cases.fires, "NebulaFreeTierLimitApproaching"),
    ),
    "a declared state ignored": (
        sub(',state="open"', ""),
        partial(declared_alert_cases.other_state, "TitanCircuitBreakerOpen"),
    ),
}


@pytest.mark.parametrize(
    "make",
    [
        lambda change=change, case=case: case().mutated(change)
        for change, case in MUTATIONS.values()
    ],
    ids=MUTATIONS,
)
def test_mistake_in_rules_fails_case(make: Make, wrong: str) -> None:
    """A mistake in the rules fails a case."""
    assert "" != wrong
    assert "nothing was changed" != wrong
    assert "parse error" not in wrong
