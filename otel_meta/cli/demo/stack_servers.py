"""The demo's servers: a Collector sidecar, Prometheus with the rules, Alertmanager and Jaeger.

The durations in rules and configurations are shortened: an hour becomes a minute. Names, labels,
factors and thresholds are the same as in ``rules/``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from otel_meta.errors import UsageError
from otel_meta.render.collector.sidecar import sidecar_file
from otel_meta.render.docs.runbooks import runbooks
from otel_meta.render.options import Options
from otel_meta.repos import BUILTIN
from otel_meta.testing.loopback import free_port
from otel_meta.testing.pinned_tools import find
from otel_meta.testing.servers import ALERTMANAGER, COLLECTOR, JAEGER, PROMETHEUS, Backend, Program

from .on_call import otel_meta
from .stack_config import (
    SPEED,
    alertmanager_config,
    jaeger_config,
    prometheus_config,
    rules,
    span_copy_config,
)
from .stop_signal import StopSignal
from .webhook_receiver import WebhookReceiver

_PROGRAMS: Final = (COLLECTOR, PROMETHEUS, ALERTMANAGER, JAEGER)
_PREFERRED_PORTS: Final[Mapping[str, int]] = {
    "prometheus": 9090,
    "alertmanager": 9093,
    "jaeger": 16686,
    "OTEL_META_OTLP_HTTP_PORT": 4318,
    "OTEL_META_OTLP_GRPC_PORT": 4317,
    "OTEL_META_GATEWAY_PORT": 14317,
    "OTEL_META_METRICS_PORT": 8889,
    "OTEL_META_SELF_METRICS_PORT": 8888,
    "OTEL_META_HEALTH_PORT": 13133,
}
"""Preferred if free; ports of the Collector by the variable of the configuration."""
_HOUR: Final = f"{3600 // SPEED}s"
"""An hour of the rules in the demo."""


def missing() -> tuple[str, ...]:
    """Return the missing programs."""
    return tuple(program.binary for program in _PROGRAMS if not _is_installed(program.binary))


class Stack:
    """The four servers, running while the context is open.

    Args:
        folder: for files of the servers.
        spans: an OTLP endpoint for a copy of each trace.
    """

    def __init__(self, folder: Path, spans: str) -> None:
        self.webhooks: Final = WebhookReceiver()
        self._folder: Final = folder
        self._ports: Final = {name: free_port(port) for name, port in _PREFERRED_PORTS.items()}
        self._spans: Final = spans
        self._servers: Final = (
            self._jaeger(),
            self._sidecar(),
            self._alertmanager(),
            self._prometheus(),
        )
        self._open: Final = ExitStack()

    def wait_until_ready(self, stop: StopSignal) -> None:
        """Wait until all servers are ready, or until the signal.

        Raises:
            UsageError: a server ended, or the time ran out.
        """
        for server in self._servers:
            server.wait_until_ready(stop.is_set)

    def environment(self) -> Mapping[str, str]:
        """Return the variables of a service for the export of telemetry to these servers."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self._url("OTEL_META_OTLP_HTTP_PORT"),
            "OTEL_METRICS_EXPORTER": "otlp,prometheus",
            "OTEL_META_METRICS_IN_APP": "true",
            "OTEL_LOGS_EXPORTER": "none",  # Jaeger accepts no logs
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_META_SCRAPE_INTERVAL": "1",
        }

    def hints(self) -> Iterator[str]:
        """Yield the servers' URLs and the folder of the services' logs, as lines."""
        yield f"Prometheus    {self._url('prometheus')} (rules run {SPEED} times as fast)"
        yield f"Alertmanager  {self._url('alertmanager')}"
        yield f"Jaeger        {self._url('jaeger')}/api/traces?service=storefront"
        yield f"Collector     {self._url('OTEL_META_METRICS_PORT')}/metrics"
        yield f"Log lines     {self._folder}/*.log"
        yield f"Page of SLOs  {otel_meta()} slo serve --prometheus {self._url('prometheus')}"

    def commands(self, slo: str, service: str) -> Iterator[str]:
        """Yield the commands that lead from an alert about an SLO to a log line."""
        server = f"--prometheus {self._url('prometheus')}"
        logs = " ".join(shlex.quote(str(path)) for path in sorted(self._folder.glob("*.log")))
        yield f"{otel_meta()} slo {server} --service {service}"
        yield (
            f"{otel_meta()} explain {slo} --service {service} --over {_HOUR} {server} "
            f"--traces {self._url('jaeger')} --logs {logs}"
        )

    def log_of(self, service: str) -> Path:
        """Return the file for the log lines of a service."""
        return self._folder / f"{service}.log"

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            opened.enter_context(self.webhooks)
            for server in self._servers:
                opened.enter_context(server)
            self._open.push(opened.pop_all())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def _jaeger(self) -> Backend:
        ports = {"query": self._ports["jaeger"], "otlp": self._ports["OTEL_META_GATEWAY_PORT"]}
        return self._backend(JAEGER, jaeger_config(**ports), self._ports["jaeger"])

    def _sidecar(self) -> Backend:
        own = self._folder / "collector.own.yaml"
        own.write_text(span_copy_config(self._spans))
        ports = {name: str(port) for name, port in self._ports.items() if name.isupper()}
        return self._backend(
            COLLECTOR,
            sidecar_file(),
            self._ports["OTEL_META_HEALTH_PORT"],
            more=(f"--config={own}",),
            environment={"OTEL_META_QUEUE_DIR": str(self._folder / "queue"), **ports},
        )

    def _alertmanager(self) -> Backend:
        config = alertmanager_config(self.webhooks.url)
        return self._backend(ALERTMANAGER, config, self._ports["alertmanager"])

    def _prometheus(self) -> Backend:
        folder = self._folder / "rules"
        folder.mkdir()
        for name, text in rules(self._runbooks().as_uri()):
            (folder / name).write_text(text)
        config = prometheus_config(
            str(folder), self._ports["alertmanager"], self._ports["OTEL_META_METRICS_PORT"]
        )
        links = f"--web.external-url={self._url('prometheus')}"
        return self._backend(PROMETHEUS, config, self._ports["prometheus"], more=(links,))

    def _runbooks(self) -> Path:
        """Write the runbooks, which alerts link to, and return their folder."""
        folder = self._folder / "runbooks"
        folder.mkdir()
        for name, text in runbooks(BUILTIN, Options()):
            (folder / f"{name}.md").write_text(text)
        return folder

    def _backend(
        self,
        program: Program,
        config: str,
        port: int,
        *,
        more: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Backend:
        return Backend(
            program=program,
            folder=self._folder / program.binary,
            config=config,
            port=port,
            more=more,
            environment=environment or {},
        )


def _is_installed(binary: str) -> bool:
    try:
        find(binary)
    except UsageError:
        return False
    return True
