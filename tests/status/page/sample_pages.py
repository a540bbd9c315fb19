"""Pages of SLOs to look at and to check: every state, long names, many SLOs, none, a problem."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from otel_meta.model.slo.correction import Correction
from otel_meta.status.page.page_context import PageContext
from otel_meta.status.status_json import StatusJson
from tests.status.status_rows import row

NOW = 1_768_478_400.0
_MONTH = 2_592_000.0
_DAY = 86_400.0


def burn_down(*shares: float, seen: float = _MONTH) -> list[tuple[float, float]]:
    """Return points of a burn-down that are equally far apart, the last of them now."""
    steps = len(shares) - 1
    return [(seen * (steps - i) / steps, share) for i, share in enumerate(shares)]


LINKS = {
    "runbook": "https://books.example/runbooks/aurora-fullstack-saas.md#aurora-api-availability",
    "dashboard": "https://grafana.example/d/otel-meta-slo",
    "traces": "https://traces.example/search",
    "logs": "https://logs.example/search",
}
_PAGE = {"severity": "page", "long": "1h", "short": "5m", "above": 14.4}
_TICKET = {"severity": "ticket", "long": "3d", "short": "6h", "above": 1.0}

BREACHED = row(
    "aurora-api-availability",
    repo="aurora-fullstack-saas",
    owner="web-platform",
    service={"service_name": "storefront", "deployment_environment_name": "production"},
    state="breached",
    why="A failed call is a page that does not load.",
    good_event='not http_server_request_duration_seconds{error_type!=""}',
    sli=0.99866,
    bad=20_153.0,
    total=15_000_000.0,
    budget_left=-0.34,
    burn_rates={"5m": 31.2, "1h": 22.4, "2h": 16.2, "6h": 9.1, "1d": 3.4, "3d": 1.6},
    burning=[_PAGE, _TICKET],
    firing=[{"name": "SloErrorBudgetBurnFast", "severity": "page"}],
    burn_down=burn_down(1.0, 0.97, 0.95, 0.9, 0.9, 0.86, 0.82, 0.8, 0.71, 0.3, -0.1, -0.34),
    links=LINKS,
)
OVERSPENT = row(
    "aurora-registration-success",
    repo="aurora-fullstack-saas",
    owner="web-platform",
    service={"service_name": "storefront", "deployment_environment_name": "production"},
    state="breached",
    objective="99%",
    period="7d",
    why="Visitors who cannot register do not come back.",
    noun="registrations",
    sli=0.93,
    bad=70.0,
    total=1000.0,
    budget_left=-6.0,
    burn_rates={"5m": None, "1h": None, "6h": 0.2},
    burn_down=burn_down(1.0, 0.2, -3.0, -5.9, -6.0, seen=7 * _DAY),
)
AT_RISK = row(
    "aurora-api-latency",
    repo="aurora-fullstack-saas",
    owner="web-platform",
    service={"service_name": "storefront", "deployment_environment_name": "production"},
    state="at_risk",
    objective="99%",
    why="A page makes a dozen calls, and users wait for the sum of them.",
    good_event="http_server_request_duration_seconds <= 0.1",
    sli=0.9938,
    bad=93.0,
    total=15_000.0,
    budget_left=0.38,
    burn_rates={"5m": 180.0, "1h": 190.8, "6h": 33.0},
    burning=[_PAGE],
    exhausted_in_seconds=5160.0,
    excluded_bad=3.0,
    excluded_total=120.0,
    burn_down=burn_down(1.0, 0.98, 0.98, 0.97, 0.38),
    links=LINKS,
)
YOUNG = row(
    "titan-service-availability",
    repo="titan-microservices-mesh",
    owner="mesh",
    service={"service_name": "payments"},
    state="at_risk",
    sli=0.95,
    bad=1.0,
    total=20.0,
    budget_left=-49.0,
    burn_rates={"5m": 50.0, "1h": 50.0},
    covered_seconds=6.0,
    coverage=6 / _MONTH,
    burn_down=burn_down(1.0, -49.0, seen=6.0),
)
NO_DATA = row(
    "titan-event-processing-success",
    repo="titan-microservices-mesh",
    owner="mesh",
    state="no_data",
    why="Orders stop between services.",
    sli=None,
    good=0.0,
    bad=0.0,
    total=0.0,
    budget_left=None,
    burn_rates={"5m": None, "1h": None},
    covered_seconds=0.0,
    coverage=0.0,
)
SLICES = row(
    "titan-circuit-breaker-availability",
    repo="titan-microservices-mesh",
    owner="mesh",
    objective="99.95%",
    good_event="titan_circuit_breaker_state <= 0, each series",
    unit="seconds",
    noun="seconds",
    sli=0.99993,
    bad=180.0,
    total=_MONTH,
    budget_left=0.861,
    burn_down=burn_down(1.0, 1.0, 0.861, 0.861),
)
OK = row("sentinel-inference-latency", repo="sentinel-ai-engine", owner="ml", links=LINKS)
EVERY_STATE = (OK, SLICES, NO_DATA, YOUNG, AT_RISK, OVERSPENT, BREACHED)

LONG = "a-very-long-name-of-an-slo-" * 6
LONG_NAMES = tuple(
    row(
        f"{LONG}{state}",
        repo="averylongrepositorynamewithoutanydash" * 3,
        owner="an owner with many words " * 6,
        service={"service_name": "averylongservicename" * 8, "cluster": "eu-central-1-" * 9},
        state=state,
        why="A very long reason that nobody reads at three in the morning. " * 6,
        good_event="averylongmetricname_total" * 8,
        budget_left=-1234.5,
        exhausted_in_seconds=1e8,
        burn_rates={"1h": 123_456.7},
        bad=1e15,
        total=1e16,
        firing=[{"name": "AVeryLongNameOfAnAlert" * 5, "severity": "page"}],
        links=LINKS,
    )
    for state in ("breached", "ok")
)
HOSTILE = "</script><script>window.stolen = true</script><img src=x onerror='stolen = true'>\"'&"
HOSTILE_ROW = row(
    HOSTILE,
    repo=HOSTILE,
    owner=HOSTILE,
    service={"service_name": HOSTILE, HOSTILE: HOSTILE},
    state="breached",
    why=HOSTILE,
    good_event=HOSTILE,
    noun=HOSTILE,
    burning=[{"severity": HOSTILE, "long": "1h", "short": "5m", "above": 14.4}],
    firing=[{"name": HOSTILE, "severity": HOSTILE}],
    burn_rates={"1h": 1.0},
    burn_down=burn_down(1.0, 0.5),
    links={"runbook": "javascript:stolen = true", "logs": f"https://a/{HOSTILE}"},
)
MANY = tuple(
    row(
        f"service-{number:03}-availability",
        repo=f"repository-{number % 8}",
        service={"service_name": f"service-{number:03}"},
        state=("ok", "ok", "ok", "ok", "ok", "ok", "ok", "at_risk", "no_data", "breached")[
            number % 10
        ],
        budget_left=(number % 10) / 10,
        burn_down=burn_down(*(1 - step / 200 for step in range(120))),
        links=LINKS,
    )
    for number in range(200)
)
CORRECTIONS = (
    Correction(
        begin=datetime(2026, 1, 12, 2, tzinfo=UTC),
        end=datetime(2026, 1, 12, 3, tzinfo=UTC),
        reason="The database moved to a new host, as announced.",
        kind="maintenance",
    ),
    Correction(
        begin=datetime(2026, 1, 14, 9, tzinfo=UTC),
        end=datetime(2026, 1, 14, 9, tzinfo=UTC) + timedelta(minutes=12),
        reason="A load test called the API without a limit.",
        slos=("aurora-api-latency",),
        service={"service_name": "storefront"},
    ),
)


def context(**changed: Any) -> PageContext:
    """Return the surroundings of a page."""
    values: dict[str, Any] = {
        "title": "SLOs of storefront",
        "measured_at": NOW,
        "now": NOW,
        "place": {"environment": "production"},
    }
    return PageContext(**{**values, **changed})


PAGES: dict[str, tuple[Sequence[StatusJson], PageContext]] = {
    "documented": (
        (BREACHED, AT_RISK, NO_DATA, SLICES, OK),
        context(corrections=CORRECTIONS),
    ),
    "states": (EVERY_STATE, context(corrections=CORRECTIONS)),
    "long": (LONG_NAMES, context(title="SLOs of " + "averylongservicename" * 8)),
    "many": (MANY, context(title="SLOs of the fleet")),
    "empty": ((), context(hint="no SLO is tracked: give configure() a meta-repository")),
    "problem": (
        (OK,),
        context(
            measured_at=NOW - 190,
            problem="http://prometheus:9090 does not answer within 10 s: is the address right?",
        ),
    ),
    "hostile": ((HOSTILE_ROW,), context(title=HOSTILE, problem=HOSTILE, hint=HOSTILE)),
}
"""Rows and surroundings, by the name of the page."""
