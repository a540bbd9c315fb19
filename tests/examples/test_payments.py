from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import Service, Start

PAYMENT = {"order_id": "7", "amount_cents": 1999}
TOO_MUCH = {"order_id": "8", "amount_cents": 90_000_000}
AVAILABILITY = "titan-service-availability"


@pytest.fixture
def payments(start: Start) -> Service:
    """Payments without a fault in the card network."""
    return start("examples/payments.py", PAYMENTS_TIMEOUT="0.4", PAYMENTS_RETRY_AFTER="1")


def pay(payments: Service) -> int:
    """Make a payment, and return the status of the response."""
    return payments.http.post("/payments", json=PAYMENT).status_code


def inject(payments: Service, error_ratio: float = 0.0, delay_seconds: float = 0.0) -> None:
    """Set the faults of the card network."""
    faults = {"error_ratio": error_ratio, "delay_seconds": delay_seconds}
    payments.http.put("/faults", json=faults).raise_for_status()


def states(payments: Service) -> dict[str, float | None]:
    """Return the state of the breaker by its series."""
    metrics = payments.metrics()
    return {
        state: metrics.value("circuit_breaker_state", breaker="card-network", state=state)
        for state in ("closed", "open", "half_open")
    }


class TestWithoutFaults:
    def test_payment_and_its_event_are_logged_with_one_request_id(self, payments: Service) -> None:
        """A payment and its event are logged with one request id and one trace id."""
        answer = payments.http.post("/payments", json=PAYMENT)
        handled = payments.shows(1, "events_processed_total", event_type="payment.settled")
        (settled,), (booked,) = (
            payments.lines_of("payment settled"),
            payments.lines_of("payment booked"),
        )

        assert 201 == answer.status_code
        assert handled
        assert payments.shows(0, "service_request_queue_depth", queue="payment-events")
        assert payments.shows(1, "event_processing_duration_seconds_count", consumer="ledger")
        assert answer.headers["x-request-id"] == settled["request_id"] == booked["request_id"]
        assert answer.headers["server-timing"].split("-")[1] == settled["trace_id"]
        assert settled["trace_id"] == booked["trace_id"]

    def test_declined_payment_has_no_event_and_is_no_failure(self, payments: Service) -> None:
        """A declined payment has no event and is no failure."""
        answer = payments.http.post("/payments", json=TOO_MUCH)

        assert 402 == answer.status_code
        assert "ok" == payments.slo(AVAILABILITY)["state"]
        assert payments.metrics().value("events_processed_total") is None
        assert {"closed": 1, "open": 0, "half_open": 0} == states(payments)
        assert payments.shows(1, "service_dependency_health", dependency="card-network")


class TestFaults:
    def test_failing_card_network_opens_breaker_and_its_recovery_closes(
        self, payments: Service
    ) -> None:
        """A failing card network opens the breaker, and its recovery closes the breaker."""
        pay(payments)
        before = payments.slo(AVAILABILITY)["state"]
        inject(payments, error_ratio=1)

        codes = [pay(payments) for _ in range(4)]

        assert "ok" == before
        assert [502, 503, 503, 503] == codes
        assert payments.reaches("breached", AVAILABILITY)
        assert {"closed": 0, "open": 1, "half_open": 0} == states(payments)
        assert payments.shows(1, "circuit_breaker_transitions_total", state="open")
        # Two retries of the first payment, and one of the second before the breaker opened.
        assert payments.shows(3, "service_retry_attempts_total", outcome="failure")
        assert payments.shows(0, "service_dependency_health", dependency="card-network")

        inject(payments)

        assert payments.shows(1, "service_dependency_health", dependency="card-network")
        assert payments.eventually(lambda: pay(payments) == 201)
        assert {"closed": 1, "open": 0, "half_open": 0} == states(payments)
        assert payments.shows(1, "circuit_breaker_transitions_total", state="half_open")
        assert payments.shows(1, "circuit_breaker_transitions_total", state="closed")
        assert 0 < payments.slo("titan-circuit-breaker-availability")["bad"]

    def test_retries_save_most_payments_and_failed_events_are_counted(
        self, payments: Service
    ) -> None:
        """Retries save most payments, and failed events are counted by reason."""
        inject(payments, error_ratio=0.3)

        def seen() -> bool:
            pay(payments)
            metrics = payments.metrics()
            failures = metrics.value("event_processing_failures_total", reason="dependency")
            events = metrics.value("events_processed_total")
            return bool(
                failures
                and events
                and failures < events
                and metrics.value("service_retry_attempts_total", outcome="success")
            )

        assert payments.eventually(seen)
        assert payments.reaches("breached", "titan-event-processing-success")
        events = payments.slo("titan-event-processing-success")
        assert 0 < events["bad"] < events["total"]
        exception_type = payments.lines_of("event failed")[0]["exception_type"]
        assert "CardNetworkError" == exception_type.rpartition(".")[2]

    def test_slow_card_network_misses_latency_slo_and_slower_one_fails(
        self, payments: Service
    ) -> None:
        """A slow card network misses the latency SLO, and a slower one fails."""
        inject(payments, delay_seconds=0.15)
        slow = pay(payments)
        inject(payments, delay_seconds=10)
        too_slow = pay(payments)

        assert (201, 502) == (slow, too_slow)
        assert payments.reaches("breached", "titan-service-latency")
        assert payments.reaches("breached", AVAILABILITY)

    def test_invalid_faults_are_refused_and_change_nothing(self, payments: Service) -> None:
        """Invalid faults are refused, and change nothing."""
        codes = [
            payments.http.put("/faults", json=faults).status_code
            for faults in ({"error_ratio": 1.1}, {"delay_seconds": -1})
        ]

        assert [422, 422] == codes
        assert 201 == pay(payments)
