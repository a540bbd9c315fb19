from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from otel_meta.cli.demo.traffic import Traffic
from otel_meta.errors import MissingExtra

if TYPE_CHECKING:
    from tests.cli.demo.conftest import Eventually, StandIn


Customers = Callable[..., Traffic]


def bodies(stand_in: StandIn, wanted: str) -> list[dict[str, Any]]:
    """What was posted to a path."""
    return [json.loads(body) for _, path, body in list(stand_in.requests) if path == wanted]


@pytest.fixture
def customers() -> Iterator[Customers]:
    """Sends customers to a URL, and has them hang up in the end."""
    made: list[Traffic] = []

    def send(url: str, **options: Any) -> Traffic:
        made.append(Traffic(url, **options))
        return made[-1]

    yield send
    for customer in (customer for traffic in made for customer in traffic._customers):
        customer.client.close()


class TestTraffic:
    def test_habits(self, customers: Customers, stand_in: StandIn, eventually: Eventually) -> None:
        """Customers order, look, register, listen, and lose their way."""
        stand_in.answer = b'{"order_id": 7}'
        wanted = {"/orders", "/orders/7", "/registrations", "/ws/notifications", "/no"}

        def seen() -> set[str]:
            paths = [path for _, path, _ in list(stand_in.requests)]
            return {"/no" if path.startswith("/no/") else path for path in paths}

        with customers(stand_in.url):
            assert eventually(lambda: wanted <= seen()), seen()

    def test_orders(self, customers: Customers, stand_in: StandIn, eventually: Eventually) -> None:
        """Orders are such as the storefront takes; now and then one is over the card's limit."""
        with customers(stand_in.url, seed=1):
            assert eventually(
                lambda: any(
                    order["amount_cents"] > 500_000 for order in bodies(stand_in, "/orders")
                )
            )
        orders = bodies(stand_in, "/orders")

        assert {"web", "mobile"} == {order["channel"] for order in orders}
        assert len(orders) / 2 > sum(order["amount_cents"] > 500_000 for order in orders)

    def test_end(self, customers: Customers, stand_in: StandIn, eventually: Eventually) -> None:
        """When the context closes, customers go home and hang up."""
        with customers(stand_in.url) as traffic:
            assert eventually(lambda: stand_in.requests)

        assert [] == [thread for thread in traffic._threads if thread.is_alive()]
        assert {True} == {customer.client.is_closed for customer in traffic._customers}

    def test_nobody_there(
        self, customers: Customers, stand_in: StandIn, eventually: Eventually
    ) -> None:
        """Customers of a service that is down come back later."""
        stand_in.answer = b"no JSON"
        with customers(stand_in.url) as traffic:
            assert eventually(lambda: len(stand_in.requests) > 20)
            assert all(thread.is_alive() for thread in traffic._threads)

    def test_proxy(
        self,
        customers: Customers,
        stand_in: StandIn,
        eventually: Eventually,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A proxy for the internet has nothing to do with loopback."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)

        with customers(stand_in.url):
            assert eventually(lambda: bodies(stand_in, "/orders"), 3)

    @pytest.mark.parametrize("package", ["httpx", "websockets.sync.client"])
    def test_extra(self, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a client, the pip command is said."""
        monkeypatch.setitem(sys.modules, package, None)

        with pytest.raises(
            MissingExtra, match=r"the demo needs: pip install 'otel_meta\[examples\]'"
        ):
            Traffic("http://127.0.0.1:9")
