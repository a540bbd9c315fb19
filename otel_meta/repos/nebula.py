"""Nebula: the cloud infrastructure and the API that manages it."""

from __future__ import annotations

from typing import Literal

from otel_meta import measures
from otel_meta.model import (
    PRESENT,
    Alert,
    Counter,
    Duration,
    Gauge,
    Histogram,
    MetaRepo,
    Recording,
    Slo,
    labels,
)
from otel_meta.semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_LATENCY_P99,
    HTTP_SERVER_REQUEST_DURATION,
)


@labels
class Resource:
    """One piece of infrastructure."""

    resource: str
    resource_type: Literal["cloud_run", "compute_instance", "gke_node", "cloud_sql", "firestore"]


@labels
class Deployment:
    """One roll-out of infrastructure."""

    environment: Literal["development", "staging", "production"]
    outcome: Literal["succeeded", "failed", "rolled_back"]


@labels
class Workspace:
    """A unit of infrastructure as code, planned and applied together."""

    workspace: str


@labels
class FreeTierQuota:
    """A monthly allowance of Google Cloud's free tier."""

    gcp_service: Literal["cloud_run", "firestore", "cloud_storage"]
    quota: Literal[
        "requests", "cpu_time", "memory_time", "reads", "writes", "deletes", "storage", "egress"
    ]


@labels
class Spending:
    """Where money goes."""

    project: str
    gcp_service: str


class Nebula(MetaRepo, name="nebula-cloud-platform", owner="cloud-platform", tier=1):
    """Cloud infrastructure and its API."""

    http_requests = HTTP_SERVER_REQUEST_DURATION
    http_active_requests = HTTP_SERVER_ACTIVE_REQUESTS

    cpu_utilization = Gauge(
        "infrastructure.cpu.utilization",
        "Share of a resource's CPU in use, 0 to 1.",
        Resource,
        unit="{ratio}",
    )
    memory_utilization = Gauge(
        "infrastructure.memory.utilization",
        "Share of a resource's memory in use, 0 to 1.",
        Resource,
        unit="{ratio}",
    )
    deployment_duration = Histogram(
        "infrastructure.deployment.duration",
        "Time to roll infrastructure out, from plan to healthy.",
        Deployment,
        unit="s",
        buckets=(10, 30, 60, 120, 300, 600, 900, 1800, 3600),
    )
    drift_detected = Gauge(
        "infrastructure.drift.detected",
        "1 while what runs differs from what the code declares, else 0.",
        Workspace,
    )
    free_tier_usage = Gauge(
        "gcp.free_tier.usage",
        "Part of a monthly free-tier allowance that is used up, in percent.",
        FreeTierQuota,
        unit="%",
    )
    cost = Counter(
        "cloud.cost.usd",
        "Money spent, in US dollars, added when the bill for a day is known.",
        Spending,
        unit="{USD}",
    )
    cost_forecast_error = Counter(
        "cloud.cost.forecast_error.usd",
        "Distance between forecast and bill, in US dollars, added when a day's bill is known.",
        Spending,
        unit="{USD}",
    )
    cost_forecast = Gauge(
        "cloud.cost.forecast.usd",
        "What the current month is forecast to cost, in US dollars.",
        Spending,
        unit="{USD}",
    )

    api_availability = Slo(
        "nebula-api-availability",
        objective="99.9%",
        period="30d",
        sli=http_requests.ratio(bad=http_requests.where(error_type=PRESENT)),
        why="Nobody can provision, scale or roll back while the API fails.",
    )
    api_latency = Slo(
        "nebula-api-latency",
        objective="99%",  # P99
        period="7d",
        sli=http_requests.within(0.1),
        why="Deployment tools chain hundreds of calls, and each one waits.",
    )
    # Dollars are the events: accuracy is 1 - sum(|forecast - actual|) / sum(actual), which
    # forecasters call 1 - WAPE. A mean of daily accuracies would let a cheap day hide a dear one.
    cost_forecast_accuracy = Slo(
        "nebula-cost-forecast-accuracy",
        objective="95%",
        period="30d",
        no_data_after="26h",  # a day's bill is known once a day
        sli=cost.ratio(bad=cost_forecast_error),
        why="Teams are given budgets by the forecast and stopped by the bill.",
    )

    api_latency_p99 = HTTP_SERVER_LATENCY_P99
    free_tier_percent = Recording(
        "gcp_service_quota:gcp_free_tier_usage_percent:max",
        measures.latest(free_tier_usage, by=("gcp_service", "quota")),
        "How much of each free-tier allowance is used up, in percent.",
    )

    free_tier_limit_approaching = Alert(
        name="NebulaFreeTierLimitApproaching",
        measure=measures.latest(free_tier_usage, by=("gcp_service", "quota")),
        above=80,
        for_=Duration("15m"),
        severity="ticket",
        summary="A free-tier allowance is nearly used up; what comes after it is billed.",
        first_steps=(
            "Which project calls the service: cloud_cost_usd_total by project, and what was "
            "deployed since usage grew."
        ),
    )
