"""The demo's customers: they order, look, register, listen, and now and then get it wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from types import ModuleType
from typing import Any, Final, Self

from otel_meta.extras import ExtraImports

_CUSTOMERS: Final = 6
_PAUSE: Final = 0.12
"""Seconds between two requests of a customer, on average."""
_CARD_LIMIT_CENTS: Final = 500_000
_OVER_THE_LIMIT: Final = 0.03
_MISTYPED: Final = 0.05

Action = Callable[["_Customer"], None]


class Traffic:
    """Customers of a storefront, for as long as the context is open.

    Raises:
        MissingExtra: an HTTP or WebSocket client is not installed.
    """

    def __init__(self, url: str, seed: int = 62) -> None:
        with ExtraImports("examples", "the demo"):
            import httpx  # noqa: PLC0415 - needs an extra
            import websockets.sync.client as sockets  # noqa: PLC0415 - likewise
        self._stopping: Final = Event()
        self._customers: Final = [
            _Customer(
                httpx.Client(base_url=url, timeout=10, trust_env=False),
                sockets,
                url,
                random.Random(seed + n),
            )
            for n in range(_CUSTOMERS)
        ]
        self._threads: Final = [
            Thread(target=customer.shop, args=(self._stopping,), daemon=True)
            for customer in self._customers
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(5)
        for customer in self._customers:
            customer.client.close()


class _Customer:
    def __init__(self, client: Any, sockets: ModuleType, url: str, chance: random.Random) -> None:
        self.client: Final = client
        self.sockets: Final = sockets
        self.socket_url: Final = url.replace("http", "ws", 1) + "/ws/notifications"
        self.chance: Final = chance
        self.orders: Final[list[int]] = []

    def shop(self, stopping: Event) -> None:
        """Do one thing after the other until told to stop."""
        actions, weights = zip(*_HABITS, strict=True)
        while not stopping.wait(self.chance.expovariate(1 / _PAUSE)):
            (action,) = self.chance.choices(actions, weights)
            with suppress(Exception):  # a service that is down is part of the show
                action(self)


def _order(customer: _Customer) -> None:
    too_much = customer.chance.random() < _OVER_THE_LIMIT
    amount = _CARD_LIMIT_CENTS + 1 if too_much else customer.chance.randint(500, 20_000)
    order = {"sku": "lamp", "amount_cents": amount, "channel": _channel(customer)}
    answer = customer.client.post("/orders", json=order)
    if answer.is_success:
        customer.orders.append(answer.json()["order_id"])


def _look(customer: _Customer) -> None:
    customer.client.get(f"/orders/{_some_order(customer)}")


def _register(customer: _Customer) -> None:
    name = f"user{customer.chance.randrange(10**9)}"
    mail = name if customer.chance.random() < _MISTYPED else f"{name}@example.com"
    customer.client.post("/registrations", json={"mail": mail, "channel": _channel(customer)})


def _lose_the_way(customer: _Customer) -> None:
    customer.client.get(f"/no/such/page/{customer.chance.randrange(100)}")


def _listen(customer: _Customer) -> None:
    with customer.sockets.connect(customer.socket_url, open_timeout=5, proxy=None) as socket:
        socket.send(json.dumps({"order_id": _some_order(customer)}))
        socket.recv(timeout=2)


def _some_order(customer: _Customer) -> int:
    return customer.chance.choice(customer.orders) if customer.orders else 1


def _channel(customer: _Customer) -> str:
    return customer.chance.choice(["web", "mobile"])


_HABITS: Final[Sequence[tuple[Action, int]]] = (
    (_order, 45),
    (_look, 30),
    (_register, 15),
    (_listen, 6),
    (_lose_the_way, 4),
)
"""What customers do, and how often."""
