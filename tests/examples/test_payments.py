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
    """Payments with a card network that is well."""
    return start("examples/payments.py")


def pay(payments: Service) -> int:
    """Have something paid; the status."""
    return payments.http.post("/payments", json=PAYMENT).status_code


def inject(payments: Service, error_ratio: float = 0.0, delay_seconds: float = 0.0) -> None:
    """Break the card network, or mend it."""
    faults = {"error_ratio": error_ratio, "delay_seconds": delay_seconds}
    payments.http.put("/faults", json=faults).raise_for_status()


def states(payments: Service) -> dict[str, float | None]:
    """What the breaker's series show."""
    metrics = payments.metrics()
    return {
        state: metrics.value("circuit_breaker_state", breaker="card-network", state=state)
        for state in ("closed", "open", "half_open")
    }


class TestWell:
    def test_settled(self, payments: Service) -> None:
        """A payment is settled, its event handled, and both tell of one request and trace."""
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
        assert answer.headers["traceresponse"].split("-")[1] == settled["trace_id"]
        assert settled["trace_id"] == booked["trace_id"]

    def test_declined(self, payments: Service) -> None:
        """What the bank declines is neither an event nor a failure."""
        answer = payments.http.post("/payments", json=TOO_MUCH)

        assert 402 == answer.status_code
        assert "ok" == payments.slo(AVAILABILITY)["state"]
        assert payments.metrics().value("events_processed_total") is None
        assert {"closed": 1, "open": 0, "half_open": 0} == states(payments)
        assert payments.shows(1, "service_dependency_health", dependency="card-network")


class TestFaults:
    def test_out(self, payments: Service) -> None:
        """A card network that is out opens the breaker and breaches; mended, the breaker closes."""
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

    def test_flaky(self, payments: Service) -> None:
        """Retries save most payments; events that fail are counted by reason, and as events."""
        inject(payments, error_ratio=0.3)

        def seen() -> bool:
            pay(payments)
            metrics = payments.metrics()
            failures = metrics.value("event_processing_failures_total", reason="dependency")
            return bool(
                failures and metrics.value("service_retry_attempts_total", outcome="success")
            )

        assert payments.eventually(seen)
        assert payments.reaches("breached", "titan-event-processing-success")
        events = payments.slo("titan-event-processing-success")
        assert 0 < events["bad"] < events["total"]
        (frame, *_) = payments.lines_of("event failed")[0]["exception"]
        assert "CardNetworkError" == frame["exc_type"]

    def test_slow(self, payments: Service) -> None:
        """A card network that is slow breaches latency, and one that is too slow fails."""
        inject(payments, delay_seconds=0.15)
        slow = pay(payments)
        inject(payments, delay_seconds=10)
        too_slow = pay(payments)

        assert (201, 502) == (slow, too_slow)
        assert payments.reaches("breached", "titan-service-latency")
        assert payments.reaches("breached", AVAILABILITY)

    def test_nonsense(self, payments: Service) -> None:
        """Faults that cannot be are refused, and the card network stays as it was."""
        codes = [
            payments.http.put("/faults", json=faults).status_code
            for faults in ({"error_ratio": 1.1}, {"delay_seconds": -1})
        ]

        assert [422, 422] == codes
        assert 201 == pay(payments)
