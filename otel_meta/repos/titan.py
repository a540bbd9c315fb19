"""Titan: services, events and circuit breakers of the service mesh."""

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
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_OUTCOMES,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
    responses_within,
)


@labels
class Event:
    """An event from a queue or a topic."""

    event_type: str
    consumer: str


@labels
class EventFailure:
    """A failure to handle an event."""

    event_type: str
    consumer: str
    reason: Literal["invalid", "timeout", "dependency", "internal"]


@labels
class Breaker:
    """A circuit breaker and a state."""

    breaker: str
    state: Literal["closed", "open", "half_open"]


@labels
class Dependency:
    """A dependency of a service."""

    dependency: str
    kind: Literal["service", "database", "cache", "queue", "external"]


@labels
class RequestQueue:
    """A queue of requests."""

    queue: str


@labels
class Retry:
    """A retry of a call."""

    dependency: str
    outcome: Literal["success", "failure"]


class Titan(
    MetaRepo,
    name="titan-microservices-mesh",
    owner="service-mesh",
    tier=1,
    escalation="Phone the rota of the service mesh; after 15 minutes, the incident lead.",
):
    """Services, events and circuit breakers."""

    http_requests = HTTP_SERVER_REQUEST_DURATION
    http_active_requests = HTTP_SERVER_ACTIVE_REQUESTS
    http_first_bytes = HTTP_SERVER_TIME_TO_FIRST_BYTE
    http_outcomes = HTTP_SERVER_REQUEST_OUTCOMES

    events_processed = Counter(
        "events.processed",
        "Handled events, including failed ones.",
        Event,
        unit="{event}",
    )
    event_failures = Counter(
        "event.processing.failures",
        "Failures to handle an event, by reason.",
        EventFailure,
        unit="{failure}",
    )
    event_duration = Histogram(
        "event.processing.duration",
        "Time to handle an event.",
        Event,
        unit="s",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    )
    breaker_state = Gauge(
        "circuit_breaker.state",
        "1 for the current state of a circuit breaker, 0 for the other states.",
        Breaker,
        unit="{bool}",
    )
    breaker_transitions = Counter(
        "circuit_breaker.transitions",
        "Transitions of a circuit breaker, by new state.",
        Breaker,
        unit="{transition}",
    )
    dependency_health = Gauge(
        "service.dependency.health",
        "1 while the health check of a dependency passes, else 0.",
        Dependency,
        unit="{bool}",
    )
    queue_depth = Gauge(
        "service.request.queue.depth",
        "Requests waiting in a queue.",
        RequestQueue,
        unit="{request}",
    )
    retry_attempts = Counter(
        "service.retry.attempts",
        "Retries of failed calls, by outcome.",
        Retry,
        unit="{attempt}",
    )

    service_availability = Slo(
        "titan-service-availability",
        objective="99.9%",
        period="30d",
        sli=http_requests.ratio(bad=http_requests.where(error_type=PRESENT)),
        why="A failing service takes its callers down.",
        first_steps=(
            "- One route with status 500: undo the last deployment of the service.\n"
            "- Status 502 to 504: a dependency fails. `service_dependency_health` and open "
            "breakers in `circuit_breaker_state` name it.\n"
            "- All routes, with more traffic: add instances, and refuse the callers that can "
            "wait."
        ),
    )
    service_latency = Slo(
        "titan-service-latency",
        objective="99%",  # P99
        period="7d",
        sli=responses_within(0.1),
        why="Calls are nested: the slowest call delays the whole page.",
        first_steps=(
            "- One route: a trace of a slow request shows the call that it waits for.\n"
            "- All routes: if `service_request_queue_depth` grows, add instances.\n"
            "- `service_retry_attempts_total` grows: retries multiply the load. Limit the "
            "retries of callers first."
        ),
    )
    event_success = Slo(
        "titan-event-processing-success",
        objective="99%",
        period="7d",
        sli=events_processed.ratio(bad=event_failures),
        why="A lost event is an order, a payment or a mail that is never made.",
        first_steps=(
            "- Reason `invalid`: a producer changed the schema. Undo that change, then send "
            "the events of the dead-letter queue again.\n"
            "- Reason `timeout` or `dependency`: pause the consumer, so that events wait. "
            "`service_dependency_health` names the cause.\n"
            "- Reason `internal`: undo the last deployment of the consumer."
        ),
    )
    breaker_availability = Slo(
        "titan-circuit-breaker-availability",
        objective="99.9%",
        period="7d",
        sli=breaker_state.at_least(1).where(state="closed"),
        why="An open circuit breaker refuses every call of its dependency.",
        first_steps=(
            "- The dependency fails: `service_dependency_health` says since when. Mend the "
            "dependency; the breaker is the effect.\n"
            "- The dependency works: `circuit_breaker_transitions_total` shows if the breaker "
            "tries to close. Restart one instance as a test.\n"
            "- Until then, switch off what needs the dependency."
        ),
    )

    latency_by_route_p99 = Recording(
        "service_route:http_server_request_duration_seconds:p99_7d",
        measures.quantile(
            http_requests.where(stream=""), "0.99", "7d", by=("service_name", "http_route")
        ),
        "P99 of the time to answer a request by service and route, in seconds, over 7 days.",
    )
    breaker_closed_ratio = Recording(
        "breaker:circuit_breaker_state:closed_avg_7d",
        measures.over_time(breaker_state.where(state="closed"), "avg", "7d", by=("breaker",)),
        "Share of time with a closed circuit breaker, over 7 days.",
    )
    error_rate = Recording(
        "service:http_server_request_errors:share_5m",
        measures.share(http_requests.where(error_type=PRESENT), http_requests, "5m"),
        "Share of failed requests of a service, over 5 minutes.",
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
        summary="A circuit breaker is open and refuses calls.",
        first_steps=(
            "Check the SLOs of the dependency behind the breaker, and service_dependency_health; "
            "an open breaker is the effect, not the cause."
        ),
    )
    event_processing_failures = Alert(
        name="TitanEventProcessingFailures",
        measure=measures.increase(event_failures, "15m", by=("service_name", "event_type")),
        above=0,
        severity="ticket",
        slo=event_success,
        summary="A service fails to handle events of a type.",
        first_steps=(
            "Check the newest schema of the event type and the dead-letter queue; then the log "
            "lines of the handler, by trace id."
        ),
    )
    high_error_rate = Alert(
        name="TitanHighServiceErrorRate",
        measure=measures.share(http_requests.where(error_type=PRESENT), http_requests, "5m"),
        above=0.01,
        for_=Duration("5m"),
        severity="ticket",
        slo=service_availability,
        summary="More than 1 % of a service's requests fail.",
        first_steps=(
            "Find the route and the status code of the failures, and a deployment or an open "
            "breaker that began in the same minute."
        ),
    )
