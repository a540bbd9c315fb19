from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from otel_meta import instrument_asgi
from otel_meta.errors import ConfigurationError
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from otel_meta.testing import capture

if TYPE_CHECKING:
    from otel_meta.web.asgi import Receive, Scope, Send
    from tests.conftest import Serving


async def plain(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer any request."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"plain"})


class TestInstrumentAsgi:
    def test_application_without_framework_is_recorded_without_route(
        self, serving: Serving
    ) -> None:
        """An application without a framework is recorded without a route."""
        with capture() as captured:
            with serving(instrument_asgi(plain, captured.telemetry)) as client:
                assert "plain" == client.get("/any/path").text
                assert 200 == client.get("/healthz").status_code

            assert ["GET"] == [s.name for s in captured.spans() if s.kind is SpanKind.SERVER]
            family = captured.telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION)
            assert [""] == [cell.labels[2] for cell in family.cells()]

    def test_route_of_starlette_is_in_span_name(self, serving: Serving) -> None:
        """The route of a Starlette application is in the name of the span."""
        app = Starlette(routes=[Route("/items/{item}", lambda _request: PlainTextResponse("ok"))])
        with capture() as captured:
            with serving(instrument_asgi(app, captured.telemetry)) as client:
                client.get("/items/7")

            assert ["GET /items/{item}"] == [span.name for span in captured.spans()]

    @pytest.mark.parametrize(
        ("app", "options", "reason"),
        [
            ("service:app", {}, "is no ASGI application"),
            (plain, {"engine": "contrib"}, "is for FastAPI alone"),
            (plain, {"ready": True}, "cannot be called"),
            (plain, {"paths": "/metrics"}, "is no set of paths"),
            (plain, {"engine": "own"}, "choose from meta, contrib, native"),
            (plain, {"exclude": "/internal"}, "is no list of patterns"),
            (plain, {"exclude": [b"/internal"]}, "is no list of patterns"),
            (plain, {"exclude": (path for path in ["/internal"])}, "is no list of patterns"),
            (plain, {"public": "no"}, "is neither True nor False"),
            (plain, {"traceresponse": "no"}, "is neither True nor False"),
            (plain, {"request_hook": "hook"}, "give a function of span and scope"),
        ],
    )
    def test_wrong_argument_is_error(self, app: Any, options: Any, reason: str) -> None:
        """A wrong argument is an error that says how to mend it."""
        with capture() as captured, pytest.raises(ConfigurationError, match=reason):
            instrument_asgi(app, captured.telemetry, **options)

    @pytest.mark.parametrize(
        ("name", "answer"),
        [("exclud", "did you mean 'exclude'"), ("zzz", "there are ready, paths")],
    )
    def test_unknown_option_is_error(self, name: str, answer: str) -> None:
        """An unknown option is an error, which names the nearest option, or all."""
        wrong: Any = {name: ["/health"]}
        with capture() as captured, pytest.raises(TypeError, match=answer):
            instrument_asgi(plain, captured.telemetry, **wrong)

    @pytest.mark.parametrize(
        "name",
        ["ready", "paths", "engine", "exclude", "public", "traceresponse", "request_hook"],
    )
    def test_none_is_like_no_option(self, name: str) -> None:
        """None is like an option that is left out."""
        given: Any = {name: None}
        with capture() as captured:
            assert callable(instrument_asgi(plain, captured.telemetry, **given))
