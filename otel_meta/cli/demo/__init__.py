"""``otel-meta demo``: two services under traffic, a fault, and what telemetry says about it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from otel_meta.cli.result import WELL, Result
from otel_meta.errors import UsageError
from otel_meta.extras import ExtraImports
from otel_meta.model import Duration

from .ports import free_port
from .services import Service, examples_folder
from .stop_signal import Stop
from .traffic import Traffic

if TYPE_CHECKING:
    from otel_meta.testing.otlp_sink import OtlpSink

    from .scenario import Play
    from .stack_servers import Stack

_PORTS: Final = {"storefront": 8001, "payments": 8002}


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo", help="run storefront and payments under traffic, with a fault in between"
    )
    parser.add_argument(
        "--for", dest="length", default="120s", metavar="TIME", help="how long: 60s, 5m (120s)"
    )
    parser.add_argument(
        "--stack",
        choices=("auto", "yes", "no"),
        default="auto",
        help="also run a Collector, Prometheus, Alertmanager and Jaeger (auto: if installed)",
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> Result:
    """Play the demo; Ctrl-C ends it early, and nothing is left running."""
    seconds = Duration(args.length).seconds
    with ExtraImports("examples", "the demo"):
        import_module("uvicorn")  # which serves the services
        from otel_meta.testing.otlp_sink import OtlpSink  # noqa: PLC0415 - needs an extra
    with Stop() as stop, OtlpSink() as sink, ExitStack() as open_until_the_end:
        stack = _stack(args.stack, open_until_the_end, sink.endpoint, stop)
        play = _set_up(open_until_the_end, sink, stack, stop)
        play.run(seconds, stop)
        return Result(WELL, play.epilogue())


def _stack(wanted: str, opened: ExitStack, spans: str, stop: Stop) -> Stack | None:
    """The real servers, where they are wanted and installed."""
    if wanted == "no":
        return None
    # Imported here: it renders configurations, which need what other commands do without.
    with ExtraImports("generate", "the demo's servers"):
        from . import stack_servers as servers  # noqa: PLC0415
    missing = servers.missing()
    if missing and wanted == "yes":
        raise UsageError(
            f"{', '.join(missing)} not found; run `make tools`, or name their folder "
            "in OTEL_META_TOOLS"
        )
    if missing:
        return None
    folder = Path(opened.enter_context(TemporaryDirectory(prefix="otel-meta-demo-")))
    stack = opened.enter_context(servers.Stack(folder, spans))
    stack.wait_until_ready(stop)
    return stack


def _set_up(opened: ExitStack, sink: OtlpSink, stack: Stack | None, stop: Stop) -> Play:
    folder = examples_folder()
    ports = {name: free_port(port) for name, port in _PORTS.items()}
    environment = {
        **_telemetry(sink, stack),
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PAYMENTS_URL": f"http://127.0.0.1:{ports['payments']}",
    }
    services = {
        name: opened.enter_context(Service(name, port, folder, environment))
        for name, port in ports.items()
    }
    for service in services.values():
        service.wait_until_ready(stop)
    opened.enter_context(Traffic(services["storefront"].url))
    # Imported here: it reads OTLP, which other commands do without.
    with ExtraImports("examples", "the demo"):
        from .scenario import Play  # noqa: PLC0415
    return Play(services["storefront"], services["payments"], sink, stack)


def _telemetry(sink: OtlpSink, stack: Stack | None) -> Mapping[str, str]:
    if stack is not None:
        return stack.environment()
    return {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{sink.endpoint}/v1/traces"}
