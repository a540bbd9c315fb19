"""Names and ports of the Kubernetes manifests: what one names, another has."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.render.stack.support import (
    ROOT,
    manifests,
    only,
    ports_of,
)


class TestKubernetes:
    def containers(self, name: str, kind: str) -> list[Any]:
        """Of a workload's pods."""
        pod = only(kind, name)["spec"]["template"]["spec"]
        return [*pod.get("initContainers", ()), *pod["containers"]]

    def variables(self, containers: list[Any]) -> dict[str, Any]:
        """Of all containers together."""
        return {v["name"]: v.get("value", v) for one in containers for v in one["env"]}

    @pytest.mark.parametrize(
        ("name", "kind"), [("gateway.yaml", "StatefulSet"), ("sidecar-by-hand.yaml", "Deployment")]
    )
    def test_services(self, name: str, kind: str) -> None:
        """A Service's ports are those of the pods that it chooses."""
        service, workload = only("Service", name)["spec"], only(kind, name)["spec"]
        ports = {
            port["name"]: port["containerPort"]
            for one in self.containers(name, kind)
            for port in one["ports"]
        }

        assert service["selector"].items() <= workload["template"]["metadata"]["labels"].items()
        assert workload["selector"]["matchLabels"] == service["selector"]
        assert {p["name"]: p["port"] for p in service["ports"]}.items() <= ports.items()

    @pytest.mark.parametrize("file", ["gateway.yaml", "sidecar.yaml"])
    def test_config_maps(self, file: str) -> None:
        """The file in a ConfigMap is the committed one, and the one that its container reads."""
        name, kind = {
            "gateway.yaml": ("gateway.yaml", "StatefulSet"),
            "sidecar.yaml": ("sidecar-by-hand.yaml", "Deployment"),
        }[file]
        collector = next(c for c in self.containers(name, kind) if c["name"].startswith("otel-"))
        mounts = {mount["mountPath"] for mount in collector["volumeMounts"]}

        assert {file: (ROOT / "collector-config" / file).read_text()} == only("ConfigMap", name)[
            "data"
        ]
        assert [f"--config=/etc/otelcol/{file}"] == collector["args"]
        assert "/etc/otelcol" in mounts

    def test_probes(self) -> None:
        """Probes ask where the health check listens."""
        for name, kind in (("gateway.yaml", "StatefulSet"), ("sidecar-by-hand.yaml", "Deployment")):
            for one in self.containers(name, kind):
                ports = {port["containerPort"] for port in one["ports"]}
                probes = [one[probe] for probe in one if probe.endswith("Probe")]

                assert probes
                assert {probe["httpGet"]["port"] for probe in probes} <= ports

    @pytest.mark.parametrize("name", ["sidecar-by-hand.yaml", "sidecar-by-operator.yaml"])
    def test_gateway(self, name: str) -> None:
        """Sidecars send to the gateway's Service, on its port."""
        service = only("Service", "gateway.yaml")
        metadata = service["metadata"]
        host = f"{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
        if "operator" in name:
            config = only("OpenTelemetryCollector", name)["spec"]["config"]
            dns = config["exporters"]["load_balancing"]["resolver"]["dns"]
            target = dns["hostname"], int(dns["port"])
        else:
            target = (
                self.variables(self.containers(name, "Deployment"))["OTEL_META_GATEWAY_HOST"],
                14317,
            )

        assert (
            host,
            {p["name"]: p["port"] for p in service["spec"]["ports"]}["otlp-grpc"],
        ) == target
        assert "None" == service["spec"]["clusterIP"]

    def test_annotation(self) -> None:
        """The annotation asks for the operator's resource by its name."""
        name = "sidecar-by-operator.yaml"
        template = only("Deployment", name)["spec"]["template"]["metadata"]
        asked = template["annotations"]["sidecar.opentelemetry.io/inject"]

        assert only("OpenTelemetryCollector", name)["metadata"]["name"] == asked

    def test_operator_ports(self) -> None:
        """In the operator's configuration every port is a number, which it reads."""
        config = only("OpenTelemetryCollector", "sidecar-by-operator.yaml")["spec"]["config"]
        ports = only("OpenTelemetryCollector", "sidecar-by-operator.yaml")["spec"]["ports"]

        assert {*ports_of(config)} == {port["port"] for port in ports}

    def test_monitors(self) -> None:
        """Each monitor chooses a Service of these manifests, and ports that it has."""
        services = [one for one in manifests() if one["kind"] == "Service"]
        labelled = {
            name: {port["name"] for port in one["spec"]["ports"]}
            for one in services
            for name in one["metadata"]["labels"].items()
        }
        for monitor in (one for one in manifests() if one["kind"] == "ServiceMonitor"):
            chosen = monitor["spec"]["selector"]["matchLabels"].items()
            ports = {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]}
            if (
                "otel-meta/metrics",
                "in-process",
            ) not in chosen:  # for services of the reader's own
                assert all(ports <= labelled[name] for name in chosen if "part-of" not in name[0])

    def test_same_sidecar(self) -> None:
        """By hand and by the operator, a sidecar does the same."""
        by_hand = only("ConfigMap", "sidecar-by-hand.yaml")["data"]["sidecar.yaml"]
        by_operator = only("OpenTelemetryCollector", "sidecar-by-operator.yaml")["spec"]["config"]

        pipelines = yaml.safe_load(by_hand)["service"]["pipelines"]

        assert pipelines == by_operator["service"]["pipelines"]
