"""Checks that names and ports in the Kubernetes manifests refer to existing resources."""

from __future__ import annotations

from typing import Any

import pytest

from otel_meta.render.collector.substitution import resolve_variables
from tests.render.stack.committed_stack import (
    ROOT,
    exposed_ports,
    manifests,
    only,
)
from tests.yaml_files import read_yaml


class TestKubernetes:
    def containers(self, name: str, kind: str) -> list[Any]:
        """Return the containers of a workload's pods."""
        pod = only(kind, name)["spec"]["template"]["spec"]
        return [*pod.get("initContainers", ()), *pod["containers"]]

    def variables(self, containers: list[Any]) -> dict[str, Any]:
        """Return the environment variables of all containers."""
        return {v["name"]: v.get("value", v) for item in containers for v in item["env"]}

    @pytest.mark.parametrize(
        ("name", "kind"), [("gateway.yaml", "StatefulSet"), ("sidecar-by-hand.yaml", "Deployment")]
    )
    def test_service_has_ports_of_selected_pods(self, name: str, kind: str) -> None:
        """A Service has ports of the selected pods."""
        service, workload = only("Service", name)["spec"], only(kind, name)["spec"]
        ports = {
            port["name"]: port["containerPort"]
            for container in self.containers(name, kind)
            for port in container["ports"]
        }

        assert service["selector"].items() <= workload["template"]["metadata"]["labels"].items()
        assert workload["selector"]["matchLabels"] == service["selector"]
        assert {p["name"]: p["port"] for p in service["ports"]}.items() <= ports.items()

    @pytest.mark.parametrize("file", ["gateway.yaml", "sidecar.yaml"])
    def test_config_map_has_committed_file(self, file: str) -> None:
        """A ConfigMap has the committed file, and is mounted in the container that reads it."""
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

    def test_probes_use_open_port_of_their_container(self) -> None:
        """Probes use an open port of their container."""
        for name, kind in (("gateway.yaml", "StatefulSet"), ("sidecar-by-hand.yaml", "Deployment")):
            for container in self.containers(name, kind):
                ports = {port["containerPort"] for port in container["ports"]}
                probes = [container[key] for key in container if key.endswith("Probe")]

                assert probes
                assert {probe["httpGet"]["port"] for probe in probes} <= ports

    @pytest.mark.parametrize("name", ["sidecar-by-hand.yaml", "sidecar-by-operator.yaml"])
    def test_sidecars_send_to_host_and_port_of_gateways_service(self, name: str) -> None:
        """Sidecars send to the host and port of the gateway's Service."""
        service = only("Service", "gateway.yaml")
        metadata = service["metadata"]
        host = f"{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
        if "operator" in name:
            config = only("OpenTelemetryCollector", name)["spec"]["config"]
            dns = config["exporters"]["load_balancing"]["resolver"]["dns"]
            target = dns["hostname"], dns["port"]
        else:
            target = (
                self.variables(self.containers(name, "Deployment"))["OTEL_META_GATEWAY_HOST"],
                "14317",
            )

        assert (
            host,
            str({p["name"]: p["port"] for p in service["spec"]["ports"]}["otlp-grpc"]),
        ) == target
        assert "None" == service["spec"]["clusterIP"]

    def test_annotation_has_name_of_collector_resource(self) -> None:
        """The annotation has the name of the OpenTelemetryCollector."""
        name = "sidecar-by-operator.yaml"
        template = only("Deployment", name)["spec"]["template"]["metadata"]
        injected = template["annotations"]["sidecar.opentelemetry.io/inject"]

        assert only("OpenTelemetryCollector", name)["metadata"]["name"] == injected

    def test_operators_configuration_has_exposed_ports_as_numbers(self) -> None:
        """The operator's configuration has the exposed ports as numbers."""
        config = only("OpenTelemetryCollector", "sidecar-by-operator.yaml")["spec"]["config"]
        ports = only("OpenTelemetryCollector", "sidecar-by-operator.yaml")["spec"]["ports"]

        assert {*exposed_ports(config)} == {port["port"] for port in ports}

    def test_service_monitor_selects_service_and_its_ports(self) -> None:
        """A ServiceMonitor selects a Service of the manifests, and ports of this Service."""
        resources = list(manifests())
        ports_by_label = {
            label: {port["name"] for port in service["spec"]["ports"]}
            for service in resources
            if service["kind"] == "Service"
            for label in service["metadata"]["labels"].items()
        }
        for monitor in (item for item in resources if item["kind"] == "ServiceMonitor"):
            selected = monitor["spec"]["selector"]["matchLabels"].items()
            ports = {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]}
            if ("otel-meta/metrics", "in-process") not in selected:  # no example has this label
                assert all(
                    ports <= ports_by_label[label]
                    for label in selected
                    if "part-of" not in label[0]
                )

    def test_sidecar_by_hand_and_sidecar_by_operator_have_same_pipelines(self) -> None:
        """A sidecar by hand and a sidecar by the operator have the same pipelines."""
        by_hand = only("ConfigMap", "sidecar-by-hand.yaml")["data"]["sidecar.yaml"]
        by_operator = only("OpenTelemetryCollector", "sidecar-by-operator.yaml")["spec"]["config"]
        pipelines = resolve_variables(read_yaml(by_hand)["service"]["pipelines"], {})

        assert pipelines == by_operator["service"]["pipelines"]
