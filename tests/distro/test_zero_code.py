from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import wait_until
from tests.distro.conftest import APP, InjectedServer, StartServer

UVICORN = ("uvicorn", "service:app", "--port", "{port}")
WORKERS = ("--workers", "2", "--timeout-worker-healthcheck", "60")
"""On a busy machine, a worker takes longer to start than the default allows."""
GUNICORN = ("gunicorn", "service:app", "--bind", "127.0.0.1:{port}")
GUNICORN_UVICORN = (*GUNICORN, "--worker-class", "uvicorn_worker.UvicornWorker")
REQUESTS = 6


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> InjectedServer:
    """A server that has answered a request."""
    started = start_server(*UVICORN)
    started.get("/items/7")
    return started


def lines(server: InjectedServer, **having: Any) -> list[dict[str, Any]]:
    """Return the log lines with these fields; every line has to be JSON."""
    parsed = [json.loads(line) for line in server.output.splitlines()]
    return [line for line in parsed if having.items() <= line.items()]


class TestApplication:
    @pytest.mark.parametrize("path", ["/metrics", "/slo", "/healthz", "/readyz"])
    def test_endpoint_is_served(self, server: InjectedServer, path: str) -> None:
        """An application without a line of telemetry serves each endpoint."""
        assert 200 == server.get(path).status_code

    def test_slos_are_those_of_the_repository_of_the_variable(self, server: InjectedServer) -> None:
        """The application has the SLOs of the meta-repository that a variable names."""
        slos = {slo["repo"] for slo in server.get("/slo").json()["slos"]}

        assert {"aurora-fullstack-saas"} == slos

    @pytest.mark.parametrize("logger", ["shop", "uvicorn.access"])
    def test_line_has_the_ids_of_the_request(self, server: InjectedServer, logger: str) -> None:
        """The lines of the application and of the server's access log have the ids of a request."""
        wait_until(lambda: lines(server, logger=logger))
        (line,) = lines(server, logger=logger)

        assert {"trace_id", "span_id", "request_id"} <= line.keys()

    def test_start_is_one_line(self, server: InjectedServer) -> None:
        """The start of telemetry is one line, which says where each signal goes."""
        (line,) = lines(server, logger="otel_meta")

        assert line["event"].startswith("telemetry of shop (aurora-fullstack-saas): metrics to ")


@pytest.mark.parametrize(
    ("words", "options"),
    [
        pytest.param(UVICORN, {}, id="uvicorn"),
        pytest.param((*UVICORN, *WORKERS), {}, id="workers"),
        pytest.param((*UVICORN, "--reload"), {}, id="reload"),
        pytest.param((*UVICORN, "--lifespan", "off"), {}, id="no-lifespan"),
        pytest.param(
            ("uvicorn", "--factory", "service:create", "--port", "{port}"), {}, id="factory"
        ),
        pytest.param((*GUNICORN_UVICORN, "--workers", "2"), {}, id="gunicorn"),
        pytest.param(UVICORN, {"by_path": True}, id="operator"),
    ],
)
def test_request_has_one_span_and_one_duration(
    start_server: StartServer, words: tuple[str, ...], options: dict[str, Any]
) -> None:
    """Each request has one server span and one sample of its duration, in each way to start."""
    server = start_server(*words, **options)
    for number in range(REQUESTS):
        server.get(f"/items/{number}")
    server.stop()
    wait_until(lambda: REQUESTS <= server.durations())

    assert ["GET /items/{item_id}"] * REQUESTS == server.server_spans()
    assert REQUESTS == server.durations()


CODED = APP.replace(
    "\n@app.get",
    """
from otel_meta import configure, instrument_fastapi
from otel_meta.repos import Titan

instrument_fastapi(app, configure("payments", Titan))

@app.get""",
)
LATE = APP.replace(
    "app = FastAPI()",
    """
from contextlib import asynccontextmanager
from otel_meta import configure

@asynccontextmanager
async def lifespan(app):
    configure("payments")
    yield

app = FastAPI(lifespan=lifespan)""",
)


class TestOwnTelemetry:
    def test_arguments_replace_variables(self, start_server: StartServer) -> None:
        """An application with telemetry of its own keeps it, and one line says so."""
        server = start_server(*UVICORN, source=CODED)
        server.get("/items/7")
        page = server.get("/slo").json()
        server.stop()
        wait_until(server.server_spans)

        assert ("payments", "titan-microservices-mesh") == (
            page["service_name"],
            page["service_namespace"],
        )
        assert ["GET /items/{item_id}"] == server.server_spans()
        assert 1 == server.output.count("replaces the telemetry of the environment")

    def test_configuration_after_the_start_is_ignored(self, start_server: StartServer) -> None:
        """Arguments that come after the instrumentation are ignored, and a warning says so."""
        server = start_server(*UVICORN, source=LATE)
        server.get("/items/7")
        (line,) = lines(server, level="warning", logger="otel_meta")

        assert "shop" == server.get("/slo").json()["service_name"]
        assert "differs in service_name, which is ignored" in line["event"]


def test_two_frameworks_within_each_other_count_once(start_server: StartServer) -> None:
    """A request to an application that is mounted in another one is counted once."""
    source = APP.replace(
        "\ndef create",
        '\nouter = FastAPI()\nouter.mount("/shop", app)\n\ndef create',
    )
    server = start_server("uvicorn", "service:outer", "--port", "{port}", source=source)
    server.get("/shop/items/7")
    server.stop()
    wait_until(server.durations)

    assert (1, 1) == (len(server.server_spans()), server.durations())
