"""The order in which Compose stops a service and its sidecar, imitated with real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from otel_meta.testing.loopback import free_port
from tests.backends.collector_server import Collector
from tests.backends.faults.service_process import ServiceProcess, service_process
from tests.backends.numbered_spans import SpanSink
from tests.render.stack.committed_stack import compose

SPANS = 1000
"""More than the batch that the SDK exports at once: a part waits in the service."""


def stop_order(*services: str) -> list[str]:
    """Return services in the order in which Compose stops them: dependents first.

    Each must depend on the next: Compose stops services at once that do not depend on each other.
    """
    order = sorted(services, key=lambda name: len(dependencies(name)), reverse=True)
    for earlier, later in pairwise(order):
        assert later in dependencies(earlier), f"{earlier} and {later} stop at once"
    return order


def dependencies(service: str) -> set[str]:
    """Return all services that a service depends on, directly or by another service."""
    direct = compose()[service].get("depends_on", {})
    return {*direct}.union(*(dependencies(name) for name in direct))


@dataclass
class Containers:
    """A service and its sidecar, as processes."""

    service: ServiceProcess
    sidecar: Collector
    sink: SpanSink

    def stop(self, role: str) -> None:
        """Send SIGTERM to the process of a container, and wait for its end."""
        actions: dict[str, Callable[[], object]] = {
            "service": self._stop_service,
            "sidecar": self.sidecar.stop,
        }
        actions[role]()

    def _stop_service(self) -> None:
        self.service.process.terminate()
        self.service.process.wait(30)


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[Containers]:
    """A service that exports to a sidecar, which exports to a trace store."""
    with (
        SpanSink(free_port()) as sink,
        Collector("sidecar.yaml", tmp_path / "sidecar", GATEWAY_PORT=sink.port) as sidecar,
        service_process(
            OTEL_EXPORTER_OTLP_ENDPOINT=sidecar.wait_until_ready().otlp,
            OTEL_EXPORTER_OTLP_TIMEOUT="2000",
        ) as service,
    ):
        yield Containers(service, sidecar, sink)


class TestComposeFile:
    @pytest.mark.parametrize("service", ["storefront", "payments"])
    def test_service_is_stopped_before_sidecar_and_network(self, service: str) -> None:
        """Compose stops a service first, then its sidecar, and the owner of the network last."""
        sidecar, network = f"{service}-sidecar", f"{service}-network"

        assert [service, sidecar, network] == stop_order(network, sidecar, service)

    @pytest.mark.parametrize("service", ["storefront", "payments"])
    def test_service_and_sidecar_share_network_of_third_container(self, service: str) -> None:
        """A service and its sidecar share the network of a third container, which neither ends."""
        modes = {compose()[name]["network_mode"] for name in (service, f"{service}-sidecar")}

        assert {f"service:{service}-network"} == modes


class TestProcesses:
    def test_no_span_is_lost_in_order_of_compose_file(self, containers: Containers) -> None:
        """No span is lost if service and sidecar stop in the order of the compose file."""
        roles = {"storefront": "service", "storefront-sidecar": "sidecar"}
        containers.service.run("work", SPANS)
        for name in stop_order(*roles):
            containers.stop(roles[name])

        assert set(range(1, SPANS + 1)) == containers.sink.stored

    def test_spans_are_lost_in_reverse_order(self, containers: Containers) -> None:
        """Spans are lost in the reverse order: the service has nobody to send the rest to."""
        containers.service.run("work", SPANS)
        for role in ("sidecar", "service"):
            containers.stop(role)

        assert containers.sink.stored < set(range(1, SPANS + 1))

    def test_service_that_crashes_finds_sidecar_again(self, containers: Containers) -> None:
        """A service that crashes and starts again sends to the same sidecar."""
        containers.service.run("work", SPANS)
        containers.service.run("flush")
        containers.service.kill()
        with service_process(OTEL_EXPORTER_OTLP_ENDPOINT=containers.sidecar.otlp) as again:
            again.run("work", 2 * SPANS)
            again.run("flush")
        containers.stop("sidecar")

        assert set(range(1, 2 * SPANS + 1)) == containers.sink.stored

    def test_sidecar_that_crashes_keeps_accepted_spans(self, containers: Containers) -> None:
        """A sidecar that crashes and starts again has the spans that it accepted."""
        containers.service.run("work", SPANS)
        containers.service.run("flush")
        containers.sidecar.kill()
        containers.sidecar.start().wait_until_ready()
        for role in ("service", "sidecar"):
            containers.stop(role)

        assert set(range(1, SPANS + 1)) == containers.sink.stored
