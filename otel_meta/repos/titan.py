"""Titan: the mesh of services, their events and their circuit breakers."""

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
from otel_meta.semconv import HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_DURATION


@labels
class Event:
    """A message taken from a queue or a topic."""

    event_type: str
    consumer: str


@labels
class EventFailure:
    """A message that could not be handled."""

    event_type: str
    consumer: str
    reason: Literal["invalid", "timeout", "dependency", "internal"]


@labels
class Breaker:
    """A circuit breaker in one of its states."""

    breaker: str
    state: Literal["closed", "open", "half_open"]


@labels
class Dependency:
    """Something that a service cannot do without."""

    dependency: str
    kind: Literal["service", "database", "cache", "queue", "external"]


@labels
class RequestQueue:
    """Where requests wait before they are handled."""

    queue: str


@labels
class Retry:
    """A further attempt at a call."""

    dependency: str
    outcome: Literal["success", "failure"]


class Titan(MetaRepo, name="titan-microservices-mesh", owner="service-mesh", tier=1):
    """Services, events and circuit breakers."""

    http_requests = HTTP_SERVER_REQUEST_DURATION
    http_active_requests = HTTP_SERVER_ACTIVE_REQUESTS

    events_processed = Counter(
        "events.processed",
        "Events taken and handled, whether that succeeded or not.",
        Event,
        unit="{event}",
    )
    event_failures = Counter(
        "event.processing.failures",
        "Events whose handling failed, by reason.",
        EventFailure,
        unit="{failure}",
    )
    event_duration = Histogram(
        "event.processing.duration",
        "Time from taking an event to being done with it.",
        Event,
        unit="s",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    )
    breaker_state = Gauge(
        "circuit_breaker.state",
        "1 for the state that a circuit breaker is in, 0 for its other states.",
        Breaker,
    )
    breaker_transitions = Counter(
        "circuit_breaker.transitions",
        "Changes of a circuit breaker's state, by the state entered.",
        Breaker,
        unit="{transition}",
    )
    dependency_health = Gauge(
        "service.dependency.health",
        "1 while a dependency answers its health check, else 0.",
        Dependency,
    )
    queue_depth = Gauge(
        "service.request.queue.depth",
        "Requests waiting in a queue.",
        RequestQueue,
        unit="{request}",
    )
    retry_attempts = Counter(
        "service.retry.attempts",
        "Calls made again after a failure, by how that went.",
        Retry,
        unit="{attempt}",
    )

    service_availability = Slo(
        "titan-service-availability",
        objective="99.9%",
        period="30d",
        sli=http_requests.ratio(bad=http_requests.where(error_type=PRESENT)),
        why="A service that fails takes down those that call it.",
    )
    service_latency = Slo(
        "titan-service-latency",
        objective="99%",  # P99
        period="7d",
        sli=http_requests.within(0.1),
        why="Calls are nested: the slowest hop sets the pace of the whole page.",
    )
    event_success = Slo(
        "titan-event-processing-success",
        objective="99%",
        period="7d",
        sli=events_processed.ratio(bad=event_failures),
        why="An event that is lost is an order, a payment or a mail that never happens.",
    )
    breaker_availability = Slo(
        "titan-circuit-breaker-availability",
        objective="99.9%",
        period="7d",
        sli=breaker_state.at_least(1).where(state="closed"),
        why="While a breaker is open, everything behind it is refused.",
    )

    latency_by_route_p99 = Recording(
        "service_route:http_server_request_duration_seconds:p99_7d",
        measures.quantile(http_requests, "0.99", "7d", by=("service_name", "http_route")),
        "P99 of the time to answer a request by service and route, in seconds, over 7 days.",
    )
    breaker_closed_ratio = Recording(
        "breaker:circuit_breaker_state:closed_avg_7d",
        measures.over_time(breaker_state.where(state="closed"), "avg", "7d", by=("breaker",)),
        "Share of time that a circuit breaker was closed, over 7 days.",
    )
    error_rate = Recording(
        "service:http_server_request_errors:share_5m",
        measures.share(http_requests.where(error_type=PRESENT), http_requests, "5m"),
        "Share of a service's requests that failed, over 5 minutes.",
    )
    event_duration_p95 = Recording(
        "service:event_processing_duration_seconds:p95_7d",
        measures.quantile(event_duration, "0.95", "7d"),
        "P95 of the time to handle an event, in seconds, over 7 days.",
    )

    breaker_open = Alert(
        name="TitanCircuitBreakerOpen",
        measure=measures.latest(breaker_state.where(state="open"), by=("service_name", "breaker")),
        above=0,
        for_=Duration("1m"),
        severity="ticket",
        summary="A circuit breaker refuses calls.",
        first_steps=(
            "The dependency behind the breaker: its own SLOs and service_dependency_health; "
            "a breaker that opens is the effect, not the cause."
        ),
    )
    event_processing_failures = Alert(
        name="TitanEventProcessingFailures",
        measure=measures.increase(event_failures, "15m", by=("service_name", "event_type")),
        above=0,
        severity="ticket",
        summary="Events of a type fail to be handled.",
        first_steps=(
            "The event type's newest schema and the dead-letter queue; then the handler's "
            "log lines, by trace id."
        ),
    )
    high_error_rate = Alert(
        name="TitanHighServiceErrorRate",
        measure=measures.share(http_requests.where(error_type=PRESENT), http_requests, "5m"),
        above=0.01,
        for_=Duration("5m"),
        severity="ticket",
        summary="More than 1 % of a service's requests fail.",
        first_steps=(
            "Which route and status, and whether a deployment or an open breaker began at "
            "the same minute."
        ),
    )
