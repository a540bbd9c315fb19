"""Aurora's service "storefront": orders, registrations and live notifications."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import secrets
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Final, Literal

import httpx
import structlog
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, WebSocket, WebSocketDisconnect
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from pydantic import BaseModel, Field, ValidationError
from storefront_parts import Cache, Database, Plan, Sessions

from otel_meta import configure, instrument_fastapi
from otel_meta.repos import Aurora

API_KEY: Final = os.environ.get("STOREFRONT_API_KEY", "")
DATABASE: Final = os.environ.get("STOREFRONT_DB", ":memory:")
PAYMENTS_URL: Final = os.environ.get("PAYMENTS_URL", "http://127.0.0.1:8002")
MAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s.]{2,60}")
REFRESH_INTERVAL: Final = 2.0  # seconds
PAYMENT_REQUIRED: Final = 402
SCHEMA: Final = {
    "users": "id INTEGER PRIMARY KEY, mail TEXT UNIQUE, plan TEXT",
    "orders": "id INTEGER PRIMARY KEY, sku TEXT, amount_cents INTEGER, outcome TEXT",
}

Channel = Literal["web", "mobile"]
Outcome = Literal["accepted", "declined", "failed"]
RefusalReason = Literal["invalid_input", "duplicate", "dependency"]
OrderId = Annotated[int, Field(ge=1, lt=2**63)]

# First, so that all later calls are recorded.
telemetry = configure("storefront", Aurora)
aurora = telemetry.bind(Aurora)
# Each httpx client sends the trace context with its requests.
HTTPXClientInstrumentor().instrument()
log = structlog.get_logger("storefront")
# Its lines repeat the data of the trace.
logging.getLogger("httpx").setLevel(logging.WARNING)


class NewOrder(BaseModel):
    """An order request."""

    sku: Annotated[str, Field(min_length=1, max_length=64)]
    amount_cents: Annotated[int, Field(gt=0, le=100_000_000)]
    channel: Channel = "web"
    user_id: int | None = None


class Order(BaseModel):
    """An order with its outcome."""

    order_id: int
    sku: str
    amount_cents: int
    outcome: Outcome | Literal["pending"]


class NewUser(BaseModel):
    """A registration request."""

    mail: str
    plan: Plan = "free"
    channel: Channel = "web"


class User(BaseModel):
    """A registered user."""

    user_id: int
    plan: Plan


class Question(BaseModel):
    """A question of a WebSocket client about an order."""

    order_id: OrderId


database = Database(DATABASE, aurora)
cache: Cache[Order] = Cache("orders", aurora)
sessions = Sessions(aurora)
# No proxy between services: the environment's proxies are for the internet.
payments = httpx.AsyncClient(base_url=PAYMENTS_URL, timeout=5.0, trust_env=False)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Create the tables, and update the gauge of active users while the service runs."""
    for table, columns in SCHEMA.items():
        await database.run("other", table, f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    update = asyncio.create_task(show_active_users())
    async with payments:
        yield
    update.cancel()
    database.close()


app = FastAPI(title="storefront", lifespan=lifespan)
instrument_fastapi(app, telemetry, ready=database.is_ready)


@app.post("/orders", status_code=201)
async def place_order(new: NewOrder) -> Order:
    """Take an order and its payment: 402 if the bank declines, 503 if payments fail."""
    order_id = await insert_order(new)
    outcome = await pay(order_id, new.amount_cents)
    await finish_order(order_id, outcome)
    aurora.orders.add(1, channel=new.channel, outcome=outcome)
    aurora.activity_events.add(1, event_type="order_placed", plan=sessions.seen(new.user_id))
    log.info("order placed", order_id=order_id, outcome=outcome)
    if outcome != "accepted":
        raise HTTPException(
            PAYMENT_REQUIRED if outcome == "declined" else 503, f"payment {outcome}"
        )
    return Order(order_id=order_id, outcome=outcome, sku=new.sku, amount_cents=new.amount_cents)


@app.get("/orders/{order_id}")
async def read_order(order_id: OrderId) -> Order:
    """Return an order."""
    order = await find_order(order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    return order


@app.post("/registrations", status_code=201)
async def register(new: NewUser) -> User:
    """Open an account: 422 for an invalid mail address, 409 for a known one."""
    aurora.registrations.add(1, channel=new.channel)
    if not MAIL.fullmatch(new.mail):
        raise refusal(422, new.channel, "invalid_input")
    try:
        user_id = await insert_user(new)
    except sqlite3.IntegrityError:
        raise refusal(409, new.channel, "duplicate") from None
    except sqlite3.Error as error:
        raise refusal(503, new.channel, "dependency") from error
    sessions.start(user_id, new.plan)
    aurora.activity_events.add(1, event_type="registered", plan=new.plan)
    log.info("user registered", user_id=user_id, plan=new.plan)
    return User(user_id=user_id, plan=new.plan)


async def require_api_key(x_api_key: Annotated[str, Header()] = "") -> None:
    """Require the API key; without a key in the environment, all requests are refused."""
    if not (API_KEY and secrets.compare_digest(x_api_key.encode(), API_KEY.encode())):
        aurora.authentication_failures.add(1, method="api_key", reason="bad_credentials")
        raise HTTPException(401, "wrong API key")


@app.get("/reports/orders", dependencies=[Depends(require_api_key)])
async def report_orders() -> dict[str, int]:
    """Return the number of orders by outcome."""
    sql = "SELECT outcome, COUNT(*) FROM orders GROUP BY outcome"
    return dict(await database.run("select", "orders", sql))


@app.websocket("/ws/notifications")
async def notify(websocket: WebSocket) -> None:
    """Answer a client's questions about its orders.

    The instrumentation records the connection, the reason for its end, and the times of messages.
    """
    await websocket.accept()
    try:
        while True:
            await answer(websocket, await receive_text(websocket))
    except WebSocketDisconnect:
        log.debug("notifications ended")
    except ValidationError:
        await websocket.close(1003, 'ask with {"order_id": 1}')


async def receive_text(websocket: WebSocket) -> str:
    """Wait for a message, and return its text; "" for a binary message."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    return message.get("text") or ""


async def answer(websocket: WebSocket, text: str) -> None:
    """Answer one question."""
    question = Question.model_validate_json(text)
    order = await find_order(question.order_id)
    reply = order.model_dump() if order else {"order_id": question.order_id, "outcome": "unknown"}
    await websocket.send_json(reply)


async def pay(order_id: int, amount_cents: int) -> Outcome:
    """Charge an order through payments."""
    payment = {"order_id": str(order_id), "amount_cents": amount_cents}
    try:
        response = await payments.post("/payments", json=payment)
    except httpx.HTTPError as error:
        log.warning("payments failed", order_id=order_id, error=repr(error))
        return "failed"
    if response.status_code == PAYMENT_REQUIRED:
        return "declined"
    return "accepted" if response.is_success else "failed"


async def insert_order(new: NewOrder) -> int:
    """Insert an order before its payment."""
    sql = "INSERT INTO orders (sku, amount_cents, outcome) VALUES (?, ?, 'pending') RETURNING id"
    rows = await database.run("insert", "orders", sql, new.sku, new.amount_cents)
    return int(rows[0][0])


async def finish_order(order_id: int, outcome: Outcome) -> None:
    """Store the outcome of an order."""
    sql = "UPDATE orders SET outcome = ? WHERE id = ?"
    await database.run("update", "orders", sql, outcome, order_id)


async def find_order(order_id: int) -> Order | None:
    """Return an order from the cache or the database."""
    order = cache.get(order_id)
    if order is not None:
        return order
    sql = "SELECT id, sku, amount_cents, outcome FROM orders WHERE id = ?"
    for row in await database.run("select", "orders", sql, order_id):
        order = Order(**dict(zip(Order.model_fields, row, strict=True)))
        if order.outcome != "pending":  # its outcome will change
            cache.put(order_id, order)
    return order


async def insert_user(new: NewUser) -> int:
    """Insert a user."""
    sql = "INSERT INTO users (mail, plan) VALUES (?, ?) RETURNING id"
    rows = await database.run("insert", "users", sql, new.mail.lower(), new.plan)
    return int(rows[0][0])


def refusal(status: int, channel: Channel, reason: RefusalReason) -> HTTPException:
    """Record a refused registration; the mail address is not logged."""
    aurora.registration_failures.add(1, channel=channel, reason=reason)
    log.info("registration refused", reason=reason)
    return HTTPException(status, reason)


async def show_active_users() -> None:
    """Set the gauge every few seconds, because sessions expire without a request."""
    while True:
        sessions.show()
        await asyncio.sleep(REFRESH_INTERVAL)


def main() -> None:
    """Serve on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    # Without uvicorn's logging, which prints plain text between the JSON lines.
    uvicorn.run(app, port=parser.parse_args().port, log_config=None)


if __name__ == "__main__":
    main()
