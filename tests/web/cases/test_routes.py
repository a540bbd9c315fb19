from __future__ import annotations

import pytest

from .app import build
from .conftest import Instrument
from .driver import Request
from .recorded import Recorded, Sample, ServerSpan


class TestTemplate:
    def test_request_has_one_server_span_and_one_sample(self, recorded: Recorded) -> None:
        """A request has one server span and one sample, and is active no longer."""
        recorded.ask("/items/7")

        route = "/items/{item_id}"
        assert [ServerSpan(f"GET {route}", route)] == recorded.server_spans()
        assert {Sample("GET", route): 1} == recorded.samples()
        assert 0 == recorded.active()

    @pytest.mark.parametrize(
        ("request_", "route", "status"),
        [
            pytest.param(Request("/items/x"), "/items/{item_id}", "422", id="invalid value"),
            pytest.param(Request("/items/7", "POST"), "/items/{item_id}", "405", id="method"),
            pytest.param(Request("/items/7", "HEAD"), "/items/{item_id}", "405", id="HEAD"),
            pytest.param(Request("/items/7", "OPTIONS"), "/items/{item_id}", "405", id="OPTIONS"),
            pytest.param(Request("/guarded"), "/guarded", "403", id="refused by dependency"),
        ],
    )
    def test_refused_request_has_route_and_is_no_error(
        self, recorded: Recorded, request_: Request, route: str, status: str
    ) -> None:
        """A refused request has its route, and is no error of the server."""
        recorded.ask(request_)

        name = f"{request_.method} {route}"
        assert [ServerSpan(name, route, status)] == recorded.server_spans()
        assert {Sample(request_.method, route, status): 1} == recorded.samples()

    def test_slash_redirect_has_template(self, recorded: Recorded) -> None:
        """A redirect from a path with a slash at the end has the template of its target or none."""
        for number in range(3):
            recorded.ask(f"/items/{number}/")

        assert {Sample("GET", "/items/{item_id}", "307")} == set(recorded.samples())

    def test_router_below_two_prefixes_has_two_series(self, recorded: Recorded) -> None:
        """A router that is included below two prefixes has two series."""
        recorded.ask("/v1/status/7")
        recorded.ask("/v2/status/7")

        routes = ["/v1/status/{item_id}", "/v2/status/{item_id}"]
        assert {Sample("GET", route): 1 for route in routes} == recorded.samples()
        assert routes == [span.route for span in recorded.server_spans()]

    def test_nested_routers_have_full_template(self, recorded: Recorded) -> None:
        """A route of nested routers has its full template."""
        recorded.ask("/api/shops/berlin/orders/status/7")

        route = "/api/shops/{shop}/orders/status/{item_id}"
        assert [ServerSpan(f"GET {route}", route)] == recorded.server_spans()
        assert {Sample("GET", route): 1} == recorded.samples()

    def test_root_path_is_part_of_template(self, recorded: Recorded) -> None:
        """The root path of the application is part of the template."""
        recorded.ask(Request("/items/7", root_path="/api"))

        route = "/api/items/{item_id}"
        assert [ServerSpan(f"GET {route}", route)] == recorded.server_spans()
        assert {Sample("GET", route): 1} == recorded.samples()


class TestMount:
    def test_route_of_mounted_application_has_full_template(self, recorded: Recorded) -> None:
        """A route of a mounted application has its full template."""
        recorded.ask("/sub/hello/ann")

        route = "/sub/hello/{name}"
        assert [ServerSpan(f"GET {route}", route)] == recorded.server_spans()
        assert {Sample("GET", route): 1} == recorded.samples()

    def test_unknown_path_below_mount_has_template_of_mount_or_none(
        self, recorded: Recorded
    ) -> None:
        """An unknown path below a mount has the template of the mount or none."""
        for number in range(3):
            recorded.ask(f"/sub/nowhere/{number}")

        (span,) = set(recorded.server_spans())
        ((sample, count),) = recorded.samples().items()
        assert span.route == sample.route
        assert sample.route in {"", "/sub", "/sub/{path}"}
        assert ("404", 3) == (sample.status, count)

    def test_instrumented_mount_counts_its_requests_once(self, instrument: Instrument) -> None:
        """A mounted application that is instrumented as well counts its requests once."""
        app = build()
        outer = instrument(app)
        inner = instrument(app.state.sub)
        outer.ask("/sub/hello/ann")

        assert 1 == outer.samples().total() + inner.samples().total()
        assert 1 == len(outer.spans() + inner.spans())


class TestCardinality:
    def test_unknown_paths_share_one_series_without_path(self, recorded: Recorded) -> None:
        """Unknown paths share one series, and no span has a path in its name."""
        for number in range(5):
            recorded.ask(f"/nowhere/{number}")

        assert {Sample("GET", "", "404"): 5} == recorded.samples()
        assert {ServerSpan("GET", "", "404")} == set(recorded.server_spans())

    def test_unknown_methods_share_one_series(self, recorded: Recorded) -> None:
        """Unknown methods share one series."""
        for number in range(3):
            recorded.ask(Request("/items/7", f"EVIL{number}"))

        assert {Sample("_OTHER", "/items/{item_id}", "405"): 3} == recorded.samples()
        assert {"HTTP /items/{item_id}"} == {span.name for span in recorded.spans()}

    def test_hosts_share_one_series(self, recorded: Recorded) -> None:
        """Requests with different hosts share one series."""
        for number in range(3):
            recorded.ask(Request("/items/7", headers=[(b"host", b"shop%d.example" % number)]))

        assert {Sample("GET", "/items/{item_id}"): 3} == recorded.samples()

    def test_response_of_middleware_is_counted(self, recorded: Recorded) -> None:
        """The response of a middleware, before any route, is counted."""
        recorded.ask("/closed")

        assert {Sample("GET", "", "503", "503"): 1} == recorded.samples()
        assert [ServerSpan("GET", "", "503", "503", "ERROR")] == recorded.server_spans()
