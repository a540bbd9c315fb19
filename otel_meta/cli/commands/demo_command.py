"""``otel-meta demo``: the telemetry of two services under traffic, with a fault."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

from typer import Option

from otel_meta.cli.completion import completing
from otel_meta.cli.console.progress import progress
from otel_meta.cli.demo.services import Service, examples_folder
from otel_meta.cli.demo.stop_signal import StopSignal
from otel_meta.cli.demo.traffic import Traffic
from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.project.config_kinds import choice
from otel_meta.cli.project_options import checked
from otel_meta.errors import UsageError
from otel_meta.extras import ExtraImports
from otel_meta.model import Duration
from otel_meta.testing.loopback import free_port

if TYPE_CHECKING:
    from otel_meta.cli.demo.scenario import Scenario
    from otel_meta.cli.demo.stack_servers import Stack
    from otel_meta.testing.otlp_receiver import OtlpReceiver

_PORTS: Final = {"storefront": 8001, "payments": 8002}
_PACKAGES: Final = ("opentelemetry.instrumentation.httpx", "uvicorn", "websockets")
"""The packages of the services, which are in no other extra."""
_STACK: Final = ("auto", "yes", "no")


def demo(
    *,
    length: Annotated[
        str, Option("--for", metavar="TIME", help="Duration, such as 60s or 5m.")
    ] = "120s",
    stack: Annotated[
        str,
        Option(
            metavar="|".join(_STACK),
            parser=checked(choice(_STACK)),
            autocompletion=completing(_STACK),
            help="Also run a Collector, Prometheus, Alertmanager and Jaeger (auto: if installed).",
        ),
    ] = "auto",
) -> Result:
    """Run two services under traffic, with a fault for a while; Ctrl-C ends the demo early."""
    seconds = Duration(length).seconds
    with ExtraImports("examples", "The demo"):
        for package in _PACKAGES:
            import_module(package)
        from otel_meta.testing.otlp_receiver import OtlpReceiver  # noqa: PLC0415 - needs an extra
    with StopSignal() as stop, OtlpReceiver() as receiver, ExitStack() as resources:
        servers = _start_stack(stack, resources, receiver.endpoint, stop)
        scenario = _set_up(resources, receiver, servers, stop)
        scenario.run(seconds, stop)
        return Result(ExitCode.OK, scenario.summary())


def _start_stack(choice: str, resources: ExitStack, spans: str, stop: StopSignal) -> Stack | None:
    """Start the real servers if chosen and installed."""
    if choice == "no":
        return None
    # A local import: it renders YAML, and other commands need no such package.
    with ExtraImports("generate", "The demo with servers"):
        from otel_meta.cli.demo import stack_servers as servers  # noqa: PLC0415
    missing = servers.missing()
    if missing and choice == "yes":
        raise UsageError(
            f"{', '.join(missing)} not found; run `make tools`, or name their folder "
            "in OTEL_META_TOOLS"
        )
    if missing:
        return None
    folder = Path(resources.enter_context(TemporaryDirectory(prefix="otel-meta-demo-")))
    stack = resources.enter_context(servers.Stack(folder, spans))
    with progress("Starting the Collector, Prometheus, Alertmanager and Jaeger"):
        stack.wait_until_ready(stop)
    return stack


def _set_up(
    resources: ExitStack, receiver: OtlpReceiver, stack: Stack | None, stop: StopSignal
) -> Scenario:
    folder = examples_folder()
    ports = {name: free_port(port) for name, port in _PORTS.items()}
    environment = {
        **_telemetry(receiver, stack),
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PAYMENTS_URL": f"http://127.0.0.1:{ports['payments']}",
    }
    services = {
        name: resources.enter_context(
            Service(name, port, folder, environment, log=stack.log_of(name) if stack else None)
        )
        for name, port in ports.items()
    }
    with progress(f"Starting {' and '.join(services)}", total=len(services)) as advance:
        for service in services.values():
            service.wait_until_ready(stop)
            advance()
    resources.enter_context(Traffic(services["storefront"].url))
    # A local import: it reads OTLP, and other commands need no such package.
    with ExtraImports("examples", "The demo"):
        from otel_meta.cli.demo.scenario import Scenario  # noqa: PLC0415
    return Scenario(services["storefront"], services["payments"], receiver, stack)


def _telemetry(receiver: OtlpReceiver, stack: Stack | None) -> Mapping[str, str]:
    if stack is not None:
        return stack.environment()
    return {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{receiver.endpoint}/v1/traces"}
