"""One secret in every place of a request, and no telemetry of any kind that shows the secret."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from fastapi import FastAPI, Request
from opentelemetry import baggage, trace
from opentelemetry.trace import Status, StatusCode
from pydantic import BaseModel, Field, SecretStr

from otel_meta import Counter, MetaRepo, NoLabels, instrument_fastapi
from otel_meta.testing import CapturedTelemetry, OtlpReceiver, capture

if TYPE_CHECKING:
    import httpx

    from tests.conftest import Serving

CANARY = "hunter2c4n4ry"
BEARER = f"Bearer {CANARY}"
CAPTURED = {
    f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_{side}": ".*"
    for side in ("REQUEST", "RESPONSE")
}
HEADERS = {
    "authorization": BEARER,
    "cookie": f"session={CANARY}; theme=dark",
    "x-api-key": CANARY,
    "x-session-id": CANARY,
    "referer": f"https://shop:{CANARY}@shop.example/?token={CANARY}",
    "baggage": f"token={CANARY}",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


class Shop(MetaRepo, name="shop", owner="us"):
    """A shop."""

    orders = Counter("shop.orders", "Orders.", NoLabels)


@dataclass
class User:
    """A user of the application."""

    name: str
    password: str = field(repr=False)


@dataclass
class Login:
    """A login whose class hides nothing."""

    name: str
    password: str


class Account(BaseModel):
    """A model of pydantic."""

    name: str
    token: SecretStr
    pin: str = Field(repr=False)


def log_fields(_request: Request) -> None:
    """Log the secret in fields."""
    log = structlog.get_logger("shop")
    log.info("fields", password=CANARY, authorization=BEARER, apiKey=CANARY)
    log.info("nested", request={"headers": {"Cookie": CANARY}, "tokens": [{"token": CANARY}]})
    log.info("classes", user=User("ann", CANARY), login=Login("ann", CANARY))
    log.info("models", account=Account(name="ann", token=SecretStr(CANARY), pin=CANARY))
    log.info("url", database=f"postgresql://shop:{CANARY}@db/shop")
    logging.getLogger("driver").warning("cannot reach redis://:%s@cache", CANARY)
    logging.getLogger("client").warning("sent", extra={"headers": {"Authorization": BEARER}})
    logging.getLogger("client").warning("sent Authorization: %s", BEARER)


def raise_chain(_request: Request) -> None:
    """Raise an exception with the secret in the message, in a cause and in a note."""
    cause = ConnectionError(f"cannot connect to postgresql://shop:{CANARY}@db/shop")
    cause.add_note(f"password={CANARY}")
    raise RuntimeError(f"login failed: password={CANARY}") from cause


def trace_secrets(_request: Request) -> None:
    """Record the secret on spans of another library."""
    with trace.get_tracer("theirs").start_as_current_span(f"GET /?token={CANARY}") as span:
        span.set_attribute("url.full", f"https://shop:{CANARY}@pay.example/?card={CANARY}#{CANARY}")
        span.set_attribute("http.url", f"https://pay.example/?card={CANARY}")
        span.set_attribute("db.connection_string", f"postgresql://shop:{CANARY}@db/shop")
        span.set_attribute("http.request.header.x_api_key", [CANARY])
        span.add_event("sent", {"password": CANARY})
        span.record_exception(ValueError(f"token={CANARY}"))
        span.set_status(Status(StatusCode.ERROR, f"ValueError: Authorization: {BEARER}"))


def carry_baggage(_request: Request) -> None:
    """Log a line, and make a span, with the secret in the baggage."""
    assert CANARY == baggage.get_baggage("token")
    structlog.get_logger("shop").info("with baggage")
    with trace.get_tracer("shop").start_as_current_span("with baggage"):
        pass


def set_cookie(_request: Request) -> Any:
    """Answer with the secret in a header."""
    from fastapi.responses import PlainTextResponse  # noqa: PLC0415  # for this case alone

    return PlainTextResponse("", headers={"set-cookie": f"session={CANARY}"})


CASES: dict[str, Callable[[Request], Any]] = {
    each.__name__: each
    for each in (log_fields, raise_chain, trace_secrets, carry_baggage, set_cookie)
}
OTHER_FORMATS = ("logfmt", "console")


class Telemetry:
    """A request's telemetry, in every form in which it leaves the process."""

    def __init__(self, captured: CapturedTelemetry, receiver: OtlpReceiver, lines: bytes) -> None:
        self.forms = {
            "lines": lines.decode(),
            "spans": str([each.span for each in receiver.spans()]),
            "log records": str(receiver.log_records()),
            "metrics": str(receiver.metrics()),
            "page": captured.prometheus_text("application/openmetrics-text"),
        }


@pytest.fixture
def telemetry_of(serving: Serving) -> Callable[..., Telemetry]:
    """Function that returns the telemetry of a request of a case."""

    def telemetry_of(name: str, **options: Any) -> Telemetry:
        lines = io.BytesIO()
        with (
            OtlpReceiver() as receiver,
            capture(
                "shop",
                Shop,
                traces="otlp",
                logs="otlp",
                metrics=("prometheus", "otlp"),
                otlp_endpoint=receiver.endpoint,
                log_stream=lines,
                environ=CAPTURED,
                **options,
            ) as captured,
            pytest.MonkeyPatch.context() as patch,
        ):
            assert captured.telemetry.traces is not None
            patch.setattr(trace, "get_tracer", captured.telemetry.traces.provider.get_tracer)
            request_case(serving, captured, CASES[name])
            captured.telemetry.flush()
            return Telemetry(captured, receiver, lines.getvalue())

    return telemetry_of


def request_case(
    serving: Serving, captured: CapturedTelemetry, case: Callable[[Request], Any]
) -> None:
    """Send a request with secrets to an application that runs the case."""
    shop = captured.bind(Shop)
    app = FastAPI()
    instrument_fastapi(app, captured.telemetry)

    def handle(request: Request) -> Any:
        shop.orders.add(1)
        return case(request)

    app.get("/orders")(handle)
    client: httpx.Client
    with serving(app) as client:
        client.get(f"/orders?token={CANARY}&{CANARY}", headers=HEADERS)


class TestSecrets:
    @pytest.mark.parametrize(
        ("name", "log_format"),
        [
            *((name, "json") for name in CASES),
            *((name, other) for name in ("log_fields", "raise_chain") for other in OTHER_FORMATS),
        ],
    )
    def test_secret_is_in_no_telemetry(
        self, telemetry_of: Callable[..., Telemetry], name: str, log_format: str
    ) -> None:
        """A secret in any place of a request is in none of its telemetry."""
        telemetry = telemetry_of(name, log_format=log_format)

        assert {} == {form: text for form, text in telemetry.forms.items() if CANARY in text}
        assert all(telemetry.forms.values())

    def test_without_redaction_fields_and_spans_show_secret(
        self, telemetry_of: Callable[..., Telemetry]
    ) -> None:
        """Without redaction, log fields and spans show the secret: the test above can fail."""
        fields, spans = (
            telemetry_of(name, redaction=False).forms for name in ("log_fields", "trace_secrets")
        )

        assert CANARY in fields["lines"]
        assert CANARY in fields["log records"]
        assert CANARY in spans["spans"]
