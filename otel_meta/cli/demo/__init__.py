"""``otel-meta demo``: two services under traffic, a fault, and what telemetry says about it."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from otel_meta.cli.result import WELL, Result
from otel_meta.extras import optional
from otel_meta.model import Duration

from .services import Service, examples_folder, free_port
from .stop import Stop
from .traffic import Traffic

if TYPE_CHECKING:
    from .stage import Play

_PORTS: Final = {"storefront": 8001, "payments": 8002}


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo", help="run storefront and payments under traffic, with a fault in between"
    )
    parser.add_argument(
        "--for", dest="length", default="120s", metavar="TIME", help="how long: 60s, 5m (120s)"
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Play the demo; Ctrl-C ends it early, and nothing is left running."""
    seconds = Duration(args.length).seconds
    sinks = optional("otel_meta.testing.otlp_sink", "the demo", "examples")
    optional("uvicorn", "the demo", "examples")
    with Stop() as stop, sinks.OtlpSink() as sink, ExitStack() as open_until_the_end:
        play = _set_up(open_until_the_end, sink, stop)
        play.run(seconds, stop)
        return Result(WELL, play.epilogue())


def _set_up(stack: ExitStack, sink: Any, stop: Stop) -> Play:
    folder = examples_folder()
    ports = {name: free_port(port) for name, port in _PORTS.items()}
    environment = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{sink.endpoint}/v1/traces",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PAYMENTS_URL": f"http://127.0.0.1:{ports['payments']}",
    }
    services = {
        name: stack.enter_context(Service(name, port, folder, environment))
        for name, port in ports.items()
    }
    for service in services.values():
        service.wait_until_ready(stop)
    stack.enter_context(Traffic(services["storefront"].url))
    # Imported here: it reads OTLP, which other commands do without.
    stage = optional("otel_meta.cli.demo.stage", "the demo", "examples")
    play: Play = stage.Play(services["storefront"], services["payments"], sink)
    return play
