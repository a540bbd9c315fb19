"""Titan's service "payments": a dependency behind a circuit breaker, and a queue of events."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, get_args
from uuid import uuid4

import structlog
import uvicorn
from circuit_breaker import CircuitBreaker, CircuitOpenError, State
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from otel_meta import configure, instrument_fastapi
from otel_meta.repos import Titan

ATTEMPTS: Final = 3
TIMEOUT: Final = float(os.environ.get("PAYMENTS_TIMEOUT", "1"))  # seconds
RETRY_AFTER: Final = float(os.environ.get("PAYMENTS_RETRY_AFTER", "5"))  # seconds
HEALTH_INTERVAL: Final = 2.0  # seconds
CARD_LIMIT_CENTS: Final = 500_000
CARD_NETWORK: Final = "card-network"
QUEUE: Final = "payment-events"
CONSUMER: Final = "ledger"

FailureReason = Literal["timeout", "dependency", "internal"]

# First, so that all later calls are recorded.
telemetry = configure("payments", Titan)
titan = telemetry.bind(Titan)
log = structlog.get_logger("payments")


class Faults(BaseModel):
    """Injected faults of the card network, for the demo."""

    error_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    delay_seconds: Annotated[float, Field(ge=0, le=10)] = 0.0


class NewPayment(BaseModel):
    """A payment request."""

    order_id: Annotated[str, Field(min_length=1, max_length=64)]
    amount_cents: Annotated[int, Field(gt=0, le=100_000_000)]


class Payment(BaseModel):
    """A settled payment."""

    payment_id: str
    order_id: str
    amount_cents: int


class CardNetworkError(Exception):
    """The card network failed."""


# Without `CircuitOpenError`: then the card network was not called.
CARD_FAILURES: Final = (CardNetworkError, TimeoutError)


class CardNetwork:
    """A stand-in for an external system with delays and injected faults."""

    def __init__(self) -> None:
        self.faults = Faults()

    async def charge(self, amount_cents: int) -> bool:
        """Return True if the bank approves."""
        await self.respond()
        return amount_cents <= CARD_LIMIT_CENTS

    async def respond(self) -> None:
        """Respond after the delay, or fail."""
        async with asyncio.timeout(TIMEOUT):
            await asyncio.sleep(0.002 + self.faults.delay_seconds)
        if random.random() < self.faults.error_ratio:
            raise CardNetworkError


@dataclass(frozen=True)
class Event:
    """An event with the context of its request: trace and request id."""

    event_type: str
    payment: Payment
    context: Context = field(default_factory=copy_context)


def on_breaker_change(state: State) -> None:
    """Count the change, and show the new state."""
    titan.breaker_transitions.add(1, breaker=CARD_NETWORK, state=state)
    show_breaker_state(state)
    log.warning("circuit breaker changed", breaker=CARD_NETWORK, state=state)


def show_breaker_state(current: State) -> None:
    """Set the gauge of every state: 1 for the current one, 0 for the others."""
    for state in get_args(State):
        titan.breaker_state.set(float(state == current), breaker=CARD_NETWORK, state=state)


network = CardNetwork()
breaker = CircuitBreaker(failures=5, retry_after=RETRY_AFTER, on_change=on_breaker_change)
# Bounded: a slow worker slows callers down instead of filling memory.
events: asyncio.Queue[Event] = asyncio.Queue(maxsize=1000)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Run the worker and the health check while the service runs."""
    show_breaker_state(breaker.state)
    background = [asyncio.create_task(handle_events()), asyncio.create_task(check_health())]
    yield
    for task in background:
        task.cancel()


app = FastAPI(title="payments", lifespan=lifespan)
instrument_fastapi(app, telemetry)


@app.post("/payments", status_code=201)
async def pay(new: NewPayment) -> Payment:
    """Charge a card: 402 if the bank declines, 502 or 503 if the card network fails."""
    if not await charge(new.amount_cents):
        log.info("payment declined", order_id=new.order_id, amount_cents=new.amount_cents)
        raise HTTPException(402, "the bank declined")
    payment = Payment(payment_id=uuid4().hex, **new.model_dump())
    log.info("payment settled", order_id=payment.order_id, payment_id=payment.payment_id)
    await events.put(Event("payment.settled", payment))
    show_queue_depth()
    return payment


@app.put("/faults")
async def inject_faults(faults: Faults) -> Faults:
    """Set the faults of the card network, for the demo."""
    network.faults = faults
    log.warning("faults injected", **faults.model_dump())
    return faults


async def charge(amount_cents: int) -> bool:
    """Call the card network through the breaker, and map errors to a status."""
    try:
        return await charge_with_retries(amount_cents)
    except CircuitOpenError:
        log.warning("payment refused", reason="circuit open", breaker=CARD_NETWORK)
        raise HTTPException(503, "payments are closed for a moment") from None
    except CARD_FAILURES as error:
        log.warning("card network failed", error=repr(error))
        raise HTTPException(502, "the card network does not answer") from error


async def charge_with_retries(amount_cents: int) -> bool:
    """Retry after a failure unless the breaker is open."""
    for attempt in range(1, ATTEMPTS):
        try:
            return await charge_once(amount_cents, attempt)
        except CARD_FAILURES:
            # Jitter: callers that failed at the same time retry at different times.
            await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))
    return await charge_once(amount_cents, ATTEMPTS)


async def charge_once(amount_cents: int, attempt: int) -> bool:
    """Make one attempt through the breaker."""
    try:
        approved = await breaker.call(lambda: network.charge(amount_cents))
    except CARD_FAILURES:
        count_retry(attempt, "failure")
        raise
    count_retry(attempt, "success")
    return approved


def count_retry(attempt: int, outcome: Literal["success", "failure"]) -> None:
    """Count an attempt after the first."""
    if attempt > 1:
        titan.retry_attempts.add(1, dependency=CARD_NETWORK, outcome=outcome)


async def handle_events() -> None:
    """Handle events in a loop."""
    while True:
        event = await events.get()
        show_queue_depth()
        # In the event's context, log lines have the ids of its trace and request.
        await asyncio.create_task(handle(event), context=event.context)


async def handle(event: Event) -> None:
    """Handle an event, and record its result."""
    started = time.perf_counter()
    try:
        await book(event.payment)
    except Exception as error:
        reason = reason_of(error)
        titan.event_failures.add(1, event_type=event.event_type, consumer=CONSUMER, reason=reason)
        log.exception("event failed", event_type=event.event_type, reason=reason)
    duration = time.perf_counter() - started
    titan.events_processed.add(1, event_type=event.event_type, consumer=CONSUMER)
    titan.event_duration.record(duration, event_type=event.event_type, consumer=CONSUMER)


async def book(payment: Payment) -> None:
    """Confirm a payment with the card network."""
    await network.respond()
    log.info("payment booked", order_id=payment.order_id, payment_id=payment.payment_id)


def reason_of(error: Exception) -> FailureReason:
    """Return the label value for an error."""
    match error:
        case TimeoutError():
            return "timeout"
        case CardNetworkError():
            return "dependency"
        case _:
            return "internal"


async def check_health() -> None:
    """Check the card network every few seconds."""
    while True:
        healthy = False
        with suppress(*CARD_FAILURES):
            await network.respond()
            healthy = True
        titan.dependency_health.set(float(healthy), dependency=CARD_NETWORK, kind="external")
        await asyncio.sleep(HEALTH_INTERVAL)


def show_queue_depth() -> None:
    """Set the gauge of waiting events."""
    titan.queue_depth.set(events.qsize(), queue=QUEUE)


def main() -> None:
    """Serve on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8002)
    # Without uvicorn's logging, which prints plain text between the JSON lines.
    uvicorn.run(app, port=parser.parse_args().port, log_config=None)


if __name__ == "__main__":
    main()
