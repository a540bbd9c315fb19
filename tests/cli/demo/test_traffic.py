from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from otel_meta.cli.demo.traffic import Traffic
from otel_meta.errors import MissingExtra

if TYPE_CHECKING:
    from tests.cli.demo.conftest import Eventually, StubService


Customers = Callable[..., Traffic]


def bodies(stub_service: StubService, wanted: str) -> list[dict[str, Any]]:
    """Return the bodies posted to a path."""
    return [json.loads(body) for _, path, body in list(stub_service.requests) if path == wanted]


@pytest.fixture
def customers() -> Iterator[Customers]:
    """Function that makes traffic to a URL; at the end its connections are closed."""
    made: list[Traffic] = []

    def send(url: str, **options: Any) -> Traffic:
        made.append(Traffic(url, **options))
        return made[-1]

    yield send
    for customer in (customer for traffic in made for customer in traffic._customers):
        customer.client.close()


class TestTraffic:
    def test_customers_send_all_kinds_of_requests(
        self, customers: Customers, stub_service: StubService, eventually: Eventually
    ) -> None:
        """Customers send all kinds of requests."""
        stub_service.body = b'{"order_id": 7}'
        wanted = {"/orders", "/orders/7", "/registrations", "/ws/notifications", "/no"}

        def seen() -> set[str]:
            paths = [path for _, path, _ in list(stub_service.requests)]
            return {"/no" if path.startswith("/no/") else path for path in paths}

        with customers(stub_service.url):
            assert eventually(lambda: wanted <= seen()), seen()

    def test_orders_are_valid_and_some_exceed_cards_limit(
        self, customers: Customers, stub_service: StubService, eventually: Eventually
    ) -> None:
        """Orders are valid, and some exceed the card's limit."""
        with customers(stub_service.url, seed=1):
            assert eventually(
                lambda: any(
                    order["amount_cents"] > 500_000 for order in bodies(stub_service, "/orders")
                )
            )
        orders = bodies(stub_service, "/orders")

        assert {"web", "mobile"} == {order["channel"] for order in orders}
        assert len(orders) / 2 > sum(order["amount_cents"] > 500_000 for order in orders)

    def test_at_end_of_context_threads_end_and_connections_are_closed(
        self, customers: Customers, stub_service: StubService, eventually: Eventually
    ) -> None:
        """At the end of the context, threads end and connections are closed."""
        with customers(stub_service.url) as traffic:
            assert eventually(lambda: stub_service.requests)

        assert [] == [thread for thread in traffic._threads if thread.is_alive()]
        assert {True} == {customer.client.is_closed for customer in traffic._customers}

    def test_customers_go_on_if_service_fails(
        self, customers: Customers, stub_service: StubService, eventually: Eventually
    ) -> None:
        """Customers go on if the service fails."""
        stub_service.body = b"no JSON"
        with customers(stub_service.url) as traffic:
            assert eventually(lambda: len(stub_service.requests) > 20)
            assert all(thread.is_alive() for thread in traffic._threads)

    def test_proxies_of_environment_are_not_used(
        self,
        customers: Customers,
        stub_service: StubService,
        eventually: Eventually,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Proxies of the environment are not used."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)

        with customers(stub_service.url):
            assert eventually(lambda: bodies(stub_service, "/orders"), 3)

    @pytest.mark.parametrize("package", ["httpx", "websockets.sync.client"])
    def test_without_client_package_error_has_pip_command(
        self, package: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a client package, the error has the pip command."""
        monkeypatch.setitem(sys.modules, package, None)

        with pytest.raises(
            MissingExtra, match=r"The demo needs: pip install 'otel_meta\[examples\]'"
        ):
            Traffic("http://127.0.0.1:9")
