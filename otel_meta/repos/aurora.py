"""Aurora: the SaaS product with API, WebSockets, database and users."""

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
    WEBSOCKET_ACTIVE_CONNECTIONS,
    WEBSOCKET_CLOSED_CONNECTIONS,
    WEBSOCKET_CONNECTION_DURATION,
    WEBSOCKET_MESSAGE_DURATION,
    WEBSOCKET_SERVER_FAULTS,
    responses_within,
)


@labels
class Query:
    """A database query."""

    operation: Literal["select", "insert", "update", "delete", "other"]
    table: str


@labels
class Registration:
    """An attempt to register an account."""

    channel: Literal["web", "mobile", "invitation", "sso"]


@labels
class RegistrationFailure:
    """A failed registration."""

    channel: Literal["web", "mobile", "invitation", "sso"]
    reason: Literal["invalid_input", "duplicate", "mail_undeliverable", "dependency", "internal"]


@labels
class Order:
    """A purchase."""

    channel: Literal["web", "mobile", "api"]
    outcome: Literal["accepted", "declined", "failed"]


@labels
class Plan:
    """A subscription plan."""

    plan: Literal["free", "pro", "enterprise"]


@labels
class Activity:
    """An action of a user."""

    event_type: str
    plan: Literal["free", "pro", "enterprise"]


@labels
class Authentication:
    """A failed authentication."""

    method: Literal["password", "token", "api_key", "sso"]
    reason: Literal["bad_credentials", "expired", "revoked", "malformed", "locked"]


@labels
class Authorization:
    """A refused action."""

    resource: str
    action: Literal["read", "create", "update", "delete", "administer"]


@labels
class Cache:
    """A cache."""

    cache: str


@labels
class CacheLookup:
    """A lookup in a cache."""

    cache: str
    result: Literal["hit", "miss"]


class Aurora(
    MetaRepo,
    name="aurora-fullstack-saas",
    owner="saas-product",
    tier=1,
    escalation="Phone the rota of the product; after 15 minutes, the incident lead.",
):
    """API, WebSockets, database and users."""

    http_requests = HTTP_SERVER_REQUEST_DURATION
    http_active_requests = HTTP_SERVER_ACTIVE_REQUESTS
    http_first_bytes = HTTP_SERVER_TIME_TO_FIRST_BYTE
    http_outcomes = HTTP_SERVER_REQUEST_OUTCOMES

    websocket_active = WEBSOCKET_ACTIVE_CONNECTIONS
    websocket_ends = WEBSOCKET_CLOSED_CONNECTIONS
    websocket_connection_duration = WEBSOCKET_CONNECTION_DURATION
    websocket_message_duration = WEBSOCKET_MESSAGE_DURATION

    query_duration = Histogram(
        "database.query.duration",
        "Duration of a database query, including the wait for a connection.",
        Query,
        unit="s",
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    )
    registrations = Counter(
        "user.registrations",
        "Attempted registrations, including failed ones.",
        Registration,
        unit="{registration}",
    )
    registration_failures = Counter(
        "user.registration.failures",
        "Failed registrations, by reason.",
        RegistrationFailure,
        unit="{failure}",
    )
    orders = Counter("orders.placed", "Orders placed, by outcome.", Order, unit="{order}")
    active_users = Gauge("active_users", "Users with an active session.", Plan, unit="{user}")
    activity_events = Counter(
        "user.activity.events", "Actions of users, by type of event.", Activity, unit="{event}"
    )
    authentication_failures = Counter(
        "api.authentication.failures",
        "API calls refused because the caller could not be identified.",
        Authentication,
        unit="{failure}",
    )
    authorization_failures = Counter(
        "api.authorization.failures",
        "API calls refused because the caller lacked permission.",
        Authorization,
        unit="{failure}",
    )
    cache_lookups = Counter(
        "cache.lookups", "Lookups in caches, by result.", CacheLookup, unit="{lookup}"
    )
    cache_hit_rate = Gauge(
        "cache.hit.rate",
        "Hit rate over recent lookups, 0 to 1, as reported by the cache.",
        Cache,
        unit="{ratio}",
    )

    api_availability = Slo(
        "aurora-api-availability",
        objective="99.9%",
        period="30d",
        sli=http_requests.ratio(bad=http_requests.where(error_type=PRESENT)),
        why="A failed call is a page that does not load.",
        first_steps=(
            "- One route with status 500: undo the last deployment of the API.\n"
            "- Many routes: a trace shows the call that fails. For the database, continue at "
            "[aurora-database-latency](#aurora-database-latency).\n"
            "- `http_server_request_outcomes_total` with outcome `incomplete_response`: "
            "responses break off. Look at memory and at restarts of the instances."
        ),
    )
    api_latency = Slo(
        "aurora-api-latency",
        objective="99%",  # P99
        period="7d",
        sli=responses_within(0.1),
        why="A page makes a dozen calls, and users wait for the sum of them.",
        first_steps=(
            "- One route: a trace of a slow request shows the query or the call that it waits "
            "for.\n"
            "- Many routes: `cache_lookups_total` with result `miss` grows when a cache is "
            "gone. Restore the cache before anything else.\n"
            "- Queries are slow: continue at "
            "[aurora-database-latency](#aurora-database-latency).\n"
            "- `http_server_active_requests` grows: add instances."
        ),
    )
    websocket_stability = Slo(
        "aurora-websocket-stability",
        objective="99%",
        period="7d",
        sli=websocket_ends.ratio(bad=websocket_ends.where(reason=WEBSOCKET_SERVER_FAULTS)),
        why="Live pages freeze, and users see stale data without a warning.",
        first_steps=(
            "- Reason `server_error` or `abnormal`: handlers fail. Undo the last deployment.\n"
            "- Reason `try_again_later`: `websocket_connections_active` is at its limit. Add "
            "instances.\n"
            "- Reason `bad_gateway`: look at the proxy before the service, and its time-outs."
        ),
    )
    database_latency = Slo(
        "aurora-database-latency",
        objective="95%",  # P95
        period="7d",
        sli=query_duration.within(0.05),
        why="Every request waits for several queries.",
        first_steps=(
            "- One table: a migration holds a lock, or a query lacks its index. Stop the "
            "migration, or undo the release with the query.\n"
            "- All tables: queries wait for a connection. Pause batch jobs, then look at the "
            "disk of the database.\n"
            "- Only `insert` and `update`: look at replication and at the space for the log."
        ),
    )
    # Invalid input and duplicates are mistakes of users, and would hide failures of the product.
    registration_success = Slo(
        "aurora-registration-success",
        objective="99%",
        period="7d",
        sli=registrations.ratio(
            bad=registration_failures.where(reason=("mail_undeliverable", "dependency", "internal"))
        ),
        why="Visitors who cannot register do not come back.",
        first_steps=(
            "- Reason `mail_undeliverable`: read the status page of the mail provider, and "
            "switch to the second provider.\n"
            "- Reason `dependency`: a trace of POST /registrations shows which call fails.\n"
            "- Reason `internal`: undo the last deployment of the registration."
        ),
    )

    api_latency_p99 = HTTP_SERVER_LATENCY_P99
    database_latency_p95 = Recording(
        "service:database_query_duration_seconds:p95_7d",
        measures.quantile(query_duration, "0.95", "7d"),
        "P95 duration of database queries, in seconds, over 7 days.",
    )
    active_users_daily = Recording(
        "service:active_users:max_1d",
        measures.over_time(active_users, "max", "1d", aggregation="sum"),
        "Maximum number of users with an active session, over 1 day.",
    )
    websocket_latency_p99 = Recording(
        "service:websocket_message_duration_seconds:p99_7d",
        measures.quantile(websocket_message_duration, "0.99", "7d"),
        "P99 of the time to handle a WebSocket message, in seconds, over 7 days.",
    )

    registrations_failing = Alert(
        name="AuroraUserRegistrationFailures",
        measure=measures.share(
            registration_failures.where(reason=("mail_undeliverable", "dependency", "internal")),
            registrations,
            "30m",
        ),
        above=0.01,
        for_=Duration("5m"),
        severity="ticket",
        slo=registration_success,
        summary="More than 1 % of registrations fail for internal reasons.",
        first_steps=(
            "Read the reason label: the mail provider, a dependency or our own code; "
            "a trace of POST /registrations shows which call failed."
        ),
    )
