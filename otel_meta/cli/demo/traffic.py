"""Simulated customers of the demo: orders, reads, registrations, sockets and bad requests."""

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
"""Mean time between two requests of a customer, in seconds."""
_CARD_LIMIT_CENTS: Final = 500_000
_SHARE_OVER_LIMIT: Final = 0.03
_SHARE_MISTYPED: Final = 0.05

Action = Callable[["_Customer"], None]


class Traffic:
    """Customers of a storefront, active while the context is open.

    Args:
        url: of the storefront.
        seed: of the random numbers, for the same requests in each run.

    Raises:
        MissingExtra: an HTTP or WebSocket client is not installed.
    """

    def __init__(self, url: str, seed: int = 62) -> None:
        with ExtraImports("examples", "The demo"):
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
    def __init__(
        self, client: Any, sockets: ModuleType, url: str, random_numbers: random.Random
    ) -> None:
        self.client: Final = client
        self.sockets: Final = sockets
        self.socket_url: Final = url.replace("http", "ws", 1) + "/ws/notifications"
        self.random: Final = random_numbers
        self.orders: Final[list[int]] = []

    def shop(self, stopping: Event) -> None:
        """Send one request after another until the event is set."""
        actions, weights = zip(*_ACTIONS, strict=True)
        while not stopping.wait(self.random.expovariate(1 / _PAUSE)):
            (action,) = self.random.choices(actions, weights)
            with suppress(Exception):  # the service may be down in the demo
                action(self)


def _order(customer: _Customer) -> None:
    is_over_limit = customer.random.random() < _SHARE_OVER_LIMIT
    amount = _CARD_LIMIT_CENTS + 1 if is_over_limit else customer.random.randint(500, 20_000)
    order = {"sku": "lamp", "amount_cents": amount, "channel": _channel(customer)}
    response = customer.client.post("/orders", json=order)
    if response.is_success:
        customer.orders.append(response.json()["order_id"])


def _read_order(customer: _Customer) -> None:
    customer.client.get(f"/orders/{_order_id(customer)}")


def _register(customer: _Customer) -> None:
    name = f"user{customer.random.randrange(10**9)}"
    mail = name if customer.random.random() < _SHARE_MISTYPED else f"{name}@example.com"
    customer.client.post("/registrations", json={"mail": mail, "channel": _channel(customer)})


def _request_unknown_path(customer: _Customer) -> None:
    customer.client.get(f"/no/such/page/{customer.random.randrange(100)}")


def _follow_order(customer: _Customer) -> None:
    with customer.sockets.connect(customer.socket_url, open_timeout=5, proxy=None) as socket:
        socket.send(json.dumps({"order_id": _order_id(customer)}))
        socket.recv(timeout=2)


def _order_id(customer: _Customer) -> int:
    return customer.random.choice(customer.orders) if customer.orders else 1


def _channel(customer: _Customer) -> str:
    return customer.random.choice(["web", "mobile"])


_ACTIONS: Final[Sequence[tuple[Action, int]]] = (
    (_order, 45),
    (_read_order, 30),
    (_register, 15),
    (_follow_order, 6),
    (_request_unknown_path, 4),
)
"""Requests by weight."""
