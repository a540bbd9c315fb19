from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from socket import SHUT_RDWR
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from tests.examples.conftest import Service, Start

KEY = "right"
ORDER = {"sku": "lamp", "amount_cents": 1999}
TOO_MUCH = {"sku": "yacht", "amount_cents": 90_000_000}
ENDPOINT = "/ws/notifications"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the storefront's orders."""
    return tmp_path_factory.mktemp("storefront") / "storefront.db"


@pytest.fixture(scope="module")
def storefront(start: Start, path: Path) -> Service:
    """The storefront with payments, started by the README's commands."""
    payments = start("examples/payments.py")
    return start(
        *("-m", "uvicorn", "storefront:app", "--app-dir", "examples"),
        PAYMENTS_URL=payments.url,
        STOREFRONT_API_KEY=KEY,
        STOREFRONT_DB=str(path),
    )


@pytest.fixture
def socket(storefront: Service) -> Iterator[ClientConnection]:
    """An open WebSocket."""
    with connect(storefront.url.replace("http", "ws") + ENDPOINT, proxy=None) as socket:
        yield socket


class TestOrders:
    def test_paid_order_is_stored_returned_and_counted_as_accepted(
        self, storefront: Service, path: Path
    ) -> None:
        """A paid order is stored, returned and counted as accepted."""
        answer = storefront.http.post("/orders", json=ORDER)
        order = answer.json()
        with sqlite3.connect(path) as database:
            sql = "SELECT sku, outcome FROM orders WHERE id = ?"
            rows = database.execute(sql, [order["order_id"]]).fetchall()
        database.close()

        assert 201 == answer.status_code
        assert {**ORDER, "outcome": "accepted"}.items() <= order.items()
        assert [("lamp", "accepted")] == rows
        assert storefront.shows(1, "orders_placed_total", channel="web", outcome="accepted")

    def test_declined_payment_is_declined_order_and_no_error_of_service(
        self, storefront: Service
    ) -> None:
        """A declined payment is a declined order, and no error of the service."""
        answer = storefront.http.post("/orders", json=TOO_MUCH)

        assert 402 == answer.status_code
        assert storefront.shows(1, "orders_placed_total", outcome="declined")
        assert "ok" == storefront.slo("aurora-api-availability")["state"]

    def test_invalid_order_is_refused_and_not_counted(self, storefront: Service) -> None:
        """An invalid order is refused and not counted."""
        before = storefront.metrics().value("orders_placed_total")

        answer = storefront.http.post("/orders", json={**ORDER, "amount_cents": 0})

        assert 422 == answer.status_code
        assert before == storefront.metrics().value("orders_placed_total")

    def test_order_is_read_from_database_once_then_from_cache(self, storefront: Service) -> None:
        """An order is read from the database once, then from the cache."""
        order = storefront.http.post("/orders", json=ORDER).json()
        before = storefront.metrics()

        answers = [storefront.http.get(f"/orders/{order['order_id']}").json() for _ in range(3)]
        after = storefront.metrics()

        def grown(name: str, **labels: str) -> float:
            return (after.value(name, **labels) or 0) - (before.value(name, **labels) or 0)

        assert [order] * 3 == answers
        assert 1 == grown("database_query_duration_seconds_count", operation="select")
        assert 1 == grown("cache_lookups_total", cache="orders", result="miss")
        assert 2 == grown("cache_lookups_total", cache="orders", result="hit")
        assert 0 < (after.value("cache_hit_rate", cache="orders") or 0) <= 1

    def test_unknown_order_is_status_404(self, storefront: Service) -> None:
        """An unknown order is status 404."""
        assert 404 == storefront.http.get("/orders/1000000").status_code
        assert 422 == storefront.http.get(f"/orders/{2**63}").status_code

    def test_insert_and_update_of_order_are_timed_by_operation(self, storefront: Service) -> None:
        """The insert and the update of an order are timed by operation and table."""
        storefront.http.post("/orders", json=ORDER)
        metrics = storefront.metrics()

        def count(operation: str) -> float | None:
            name = "database_query_duration_seconds_count"
            return metrics.value(name, operation=operation, table="orders")

        assert count("insert") == count("update")
        assert (count("insert") or 0) > 0
        assert storefront.slo("aurora-database-latency")["total"] > 0


class TestPaymentsOut:
    def test_without_payments_orders_fail_availability_slo_is_not_met(self, start: Start) -> None:
        """Without payments, orders fail, the availability SLO is not met, and the rest works."""
        alone = start("examples/storefront.py", PAYMENTS_URL="http://127.0.0.1:1")

        answer = alone.http.post("/orders", json=ORDER)

        assert 503 == answer.status_code
        assert alone.shows(1, "orders_placed_total", channel="web", outcome="failed")
        assert alone.reaches("breached", "aurora-api-availability")
        assert 200 == alone.http.get("/orders/1").status_code
        assert 200 == alone.http.get("/readyz").status_code


class TestRegistrations:
    def test_registered_user_has_account_and_is_counted_as_active(
        self, storefront: Service
    ) -> None:
        """A registered user has an account and is counted as active."""
        answer = storefront.http.post("/registrations", json={"mail": "ada@a.org", "plan": "pro"})
        order = {**ORDER, "user_id": answer.json()["user_id"]}
        storefront.http.post("/orders", json=order)

        assert 201 == answer.status_code
        assert storefront.shows(1, "active_users", plan="pro")
        assert storefront.shows(0, "active_users", plan="enterprise")
        assert storefront.shows(1, "user_activity_events_total", event_type="registered")
        assert storefront.shows(
            1, "user_activity_events_total", event_type="order_placed", plan="pro"
        )

    @pytest.mark.parametrize(
        ("mail", "status", "reason"),
        [("bob@b.org", 409, "duplicate"), ("nobody", 422, "invalid_input")],
    )
    def test_refused_registration_is_counted_by_reason_and_slo_stays_met(
        self, storefront: Service, mail: str, status: int, reason: str
    ) -> None:
        """A refused registration is counted by reason, and the SLO stays met."""
        storefront.http.post("/registrations", json={"mail": "bob@b.org"})

        answer = storefront.http.post("/registrations", json={"mail": mail, "channel": "mobile"})
        metrics = storefront.metrics()

        assert status == answer.status_code
        assert 1 == metrics.value(
            "user_registration_failures_total", channel="mobile", reason=reason
        )
        assert (metrics.value("user_registrations_total", channel="mobile") or 0) >= 1
        assert "ok" == storefront.slo("aurora-registration-success")["state"]

    def test_mail_addresses_are_not_logged(self, storefront: Service) -> None:
        """Mail addresses are not logged."""
        storefront.http.post("/registrations", json={"mail": "eve@secret.org"})

        assert "secret.org" not in json.dumps(storefront.lines())


class TestApiKey:
    def test_requests_with_wrong_key_are_refused_and_counted(self, storefront: Service) -> None:
        """Requests with a wrong key are refused and counted."""
        keys = (b"wrong", b"\xe9")
        wrong: list[list[tuple[bytes, bytes]]] = [[], *([(b"x-api-key", key)] for key in keys)]

        codes = [
            storefront.http.get("/reports/orders", headers=headers).status_code for headers in wrong
        ]

        assert [401, 401, 401] == codes
        assert storefront.shows(
            3, "api_authentication_failures_total", method="api_key", reason="bad_credentials"
        )

    def test_request_with_key_gets_orders_by_outcome(self, storefront: Service) -> None:
        """A request with the key gets the orders by outcome."""
        storefront.http.post("/orders", json=ORDER)

        report = storefront.http.get("/reports/orders", headers={"X-API-Key": KEY})

        assert 200 == report.status_code
        assert report.json()["accepted"] >= 1


class TestNotifications:
    def test_client_gets_outcome_of_its_orders_and_messages_are_timed(
        self, storefront: Service, socket: ClientConnection
    ) -> None:
        """A client gets the outcome of its orders, and messages are timed in both directions."""
        order = storefront.http.post("/orders", json=ORDER).json()
        answers = []
        for order_id in (order["order_id"], 1_000_000):
            socket.send(json.dumps({"order_id": order_id}))
            answers.append(json.loads(socket.recv()))

        assert [order, {"order_id": 1_000_000, "outcome": "unknown"}] == answers
        for direction in ("received", "sent"):
            assert storefront.shows(
                2, "websocket_message_duration_seconds_count", direction=direction
            )

    def test_open_connection_is_counted_and_close_by_client_is_normal(
        self, storefront: Service, socket: ClientConnection
    ) -> None:
        """An open connection is counted, and a close by the client is a normal end."""
        opened = storefront.shows(1, "websocket_connections_active", path=ENDPOINT)

        socket.close()

        assert opened
        assert storefront.shows(0, "websocket_connections_active", path=ENDPOINT)
        assert (
            storefront.metrics().value("websocket_connections_closed_total", reason="normal") or 0
        ) >= 1

    @pytest.mark.parametrize("message", ["{}", "what?", b"\x00", '{"order_id": 0}'])
    def test_invalid_message_ends_connection_with_protocol_error(
        self, storefront: Service, socket: ClientConnection, message: str | bytes
    ) -> None:
        """An invalid message ends the connection with a protocol error."""
        closed = "websocket_connections_closed_total"
        before = storefront.metrics().value(closed, reason="protocol_error") or 0

        socket.send(message)
        with pytest.raises(ConnectionClosed) as end:
            socket.recv()

        assert end.value.rcvd is not None
        assert 1003 == end.value.rcvd.code
        assert storefront.shows(before + 1, closed, reason="protocol_error")

    def test_client_that_vanishes_is_no_bad_event_of_stability_slo(
        self, storefront: Service, socket: ClientConnection
    ) -> None:
        """A client that vanishes is no bad event of the stability SLO."""
        before = storefront.slo("aurora-websocket-stability")["bad"]

        socket.socket.shutdown(SHUT_RDWR)  # not a word of WebSocket about it

        assert storefront.shows(1, "websocket_connections_closed_total", reason="vanished")
        assert before == storefront.slo("aurora-websocket-stability")["bad"]


class TestOperation:
    def test_every_log_line_is_json_with_name_of_service_also(self, storefront: Service) -> None:
        """Every log line is JSON with the name of the service, also from uvicorn."""
        storefront.http.post("/orders", json=ORDER)
        lines = storefront.lines()

        assert {"storefront"} == {line["service_name"] for line in lines}
        assert {"aurora-fullstack-saas"} == {line["service_namespace"] for line in lines}
        assert {"storefront", "uvicorn.error", "uvicorn.access"} <= {
            line["logger"] for line in lines
        }

    def test_service_without_requests_has_no_data_and_stops_at_sigterm(self, start: Start) -> None:
        """A service without requests has no data, and stops at SIGTERM with an open WebSocket."""
        idle = start("examples/storefront.py")
        state = idle.slo("aurora-api-availability")["state"]
        healthy = idle.http.get("/healthz").status_code

        assert ("no_data", 200) == (state, healthy)
        with connect(idle.url.replace("http", "ws") + ENDPOINT, proxy=None):
            assert -signal.SIGTERM == idle.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(idle.url, trust_env=False)
