"""Nebula: cloud infrastructure and its management API."""

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
    HTTP_SERVER_REQUEST_OUTCOMES,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
    responses_within,
)


@labels
class Resource:
    """A resource of the infrastructure."""

    resource: str
    resource_type: Literal["cloud_run", "compute_instance", "gke_node", "cloud_sql", "firestore"]


@labels
class Deployment:
    """A deployment of infrastructure."""

    target_environment: Literal["development", "staging", "production"]
    outcome: Literal["succeeded", "failed", "rolled_back"]


@labels
class Workspace:
    """A workspace of infrastructure as code."""

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
    """Spending of a project on a service."""

    project: str
    gcp_service: str


class Nebula(
    MetaRepo,
    name="nebula-cloud-platform",
    owner="cloud-platform",
    tier=1,
    escalation="Phone the rota of the cloud platform; after 15 minutes, its lead.",
):
    """Cloud infrastructure and its API."""

    http_requests = HTTP_SERVER_REQUEST_DURATION
    http_active_requests = HTTP_SERVER_ACTIVE_REQUESTS
    http_first_bytes = HTTP_SERVER_TIME_TO_FIRST_BYTE
    http_outcomes = HTTP_SERVER_REQUEST_OUTCOMES

    cpu_utilization = Gauge(
        "infrastructure.cpu.utilization",
        "CPU utilization of a resource, 0 to 1.",
        Resource,
        unit="{ratio}",
    )
    memory_utilization = Gauge(
        "infrastructure.memory.utilization",
        "Memory utilization of a resource, 0 to 1.",
        Resource,
        unit="{ratio}",
    )
    deployment_duration = Histogram(
        "infrastructure.deployment.duration",
        "Duration of a deployment, from plan to healthy.",
        Deployment,
        unit="s",
        buckets=(10, 30, 60, 120, 300, 600, 900, 1800, 3600),
    )
    drift_detected = Gauge(
        "infrastructure.drift.detected",
        "1 while the infrastructure differs from its code, else 0.",
        Workspace,
    )
    free_tier_usage = Gauge(
        "gcp.free_tier.usage",
        "Used part of a monthly free-tier allowance, in percent.",
        FreeTierQuota,
        unit="%",
    )
    cost = Counter(
        "cloud.cost.usd",
        "Cost in US dollars, added when the bill of a day is known.",
        Spending,
        unit="{USD}",
    )
    cost_forecast_error = Counter(
        "cloud.cost.forecast_error.usd",
        "Absolute error of the forecast in US dollars, added when the bill of a day is known.",
        Spending,
        unit="{USD}",
    )
    cost_forecast = Gauge(
        "cloud.cost.forecast.usd",
        "Forecast cost of the current month, in US dollars.",
        Spending,
        unit="{USD}",
    )

    api_availability = Slo(
        "nebula-api-availability",
        objective="99.9%",
        period="30d",
        sli=http_requests.ratio(bad=http_requests.where(error_type=PRESENT)),
        why="Nobody can provision, scale or roll back while the API fails.",
        first_steps=(
            "- One route with status 500: undo the last deployment of the API.\n"
            "- Many routes with status 502 to 504: an API of the cloud provider fails or "
            "throttles. Read the provider's status page, and pause automated deployments.\n"
            "- One instance: replace it if its `infrastructure_memory_utilization` is above 0.9."
        ),
    )
    api_latency = Slo(
        "nebula-api-latency",
        objective="99%",  # P99
        period="7d",
        sli=responses_within(0.1),
        why="Deployment tools make hundreds of calls, one after another.",
        first_steps=(
            "- One route: a trace of a slow call shows the call of the provider that it waits "
            "for.\n"
            "- All routes: if `http_server_active_requests` grows, add instances, or pause the "
            "tool that makes the most calls.\n"
            "- After a deployment: undo it."
        ),
    )
    # The events are dollars: accuracy is 1 - sum(|forecast - actual|) / sum(actual), in forecasting
    # called 1 - WAPE. In a mean of daily accuracies a cheap day would hide an expensive one.
    cost_forecast_accuracy = Slo(
        "nebula-cost-forecast-accuracy",
        objective="95%",
        period="30d",
        no_data_after="26h",  # a day's bill is known once a day
        sli=cost.ratio(bad=cost_forecast_error),
        why="Teams get their budgets from the forecast, and are stopped by the bill.",
        first_steps=(
            "- One project: `cloud_cost_usd_total` by service shows what grew. Stop what "
            "nobody needs, or make the forecast again.\n"
            "- All projects: check that yesterday's bill is complete, and compare "
            "`cloud_cost_forecast_usd` with last month.\n"
            "- No step is urgent at night: a day's bill is known once a day."
        ),
    )

    api_latency_p99 = HTTP_SERVER_LATENCY_P99
    free_tier_percent = Recording(
        "gcp_service_quota:gcp_free_tier_usage_percent:max",
        measures.latest(free_tier_usage, by=("gcp_service", "quota")),
        "Used part of each free-tier allowance, in percent.",
    )

    free_tier_limit_approaching = Alert(
        name="NebulaFreeTierLimitApproaching",
        measure=measures.latest(free_tier_usage, by=("service_name", "gcp_service", "quota")),
        above=80,
        for_=Duration("15m"),
        severity="ticket",
        summary="More than 80 % of a free-tier allowance is used; further use is billed.",
        first_steps=(
            "Find the project that calls the service in cloud_cost_usd_total by project, and "
            "the deployments since usage grew."
        ),
    )
