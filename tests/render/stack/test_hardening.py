"""Checks what a reviewer asks of the manifests and of the compose files."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_meta.render.options import Kubernetes, Options
from otel_meta.render.stack.kubernetes import manifests as manifest_files
from otel_meta.render.stack.kubernetes.common_manifests import config_hash
from otel_meta.repos import BUILTIN
from tests.render.stack.committed_stack import (
    COLLECTORS,
    KUBERNETES,
    STACK,
    compose,
    manifests,
    network_of,
    only,
    read,
)
from tests.rules.pinned_tools import tool
from tests.yaml_files import read_all_yaml

WORKLOADS = [
    ("gateway.yaml", "StatefulSet"),
    ("sidecar-by-hand.yaml", "Deployment"),
    ("sidecar-by-operator.yaml", "Deployment"),
]
HASH = "otel-meta/config-sha256"
UNITS = {"Mi": 1, "Gi": 1024}


def template(name: str, kind: str) -> Any:
    """Return the template of a workload's pods."""
    return only(kind, name)["spec"]["template"]


def containers(name: str, kind: str) -> Iterator[Any]:
    """Return all containers of a workload's pods, with the container that the operator injects."""
    pod = template(name, kind)["spec"]
    yield from (*pod.get("initContainers", ()), *pod["containers"])
    if "operator" in name:
        spec = only("OpenTelemetryCollector", name)["spec"]
        yield {key: spec[key] for key in ("image", "resources", "securityContext")}


def mebibytes(quantity: str) -> int:
    """Return a quantity of Kubernetes in MiB."""
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


class TestPods:
    @pytest.mark.parametrize(("name", "kind"), WORKLOADS[:2])
    def test_hash_of_configuration_is_annotation_of_pods(self, name: str, kind: str) -> None:
        """The hash of the configuration is an annotation of the pods, so that a change rolls."""
        (text,) = only("ConfigMap", name)["data"].values()
        expected = hashlib.sha256(text.encode()).hexdigest()

        assert expected == template(name, kind)["metadata"]["annotations"][HASH]

    def test_pods_with_injected_sidecar_have_hash_too(self) -> None:
        """Pods with an injected sidecar have the hash too: the operator changes new pods only."""
        (name, kind) = WORKLOADS[2]
        annotations = template(name, kind)["metadata"]["annotations"]

        assert re.fullmatch(r"[0-9a-f]{64}", annotations[HASH])
        assert config_hash("a") != config_hash("b")

    @pytest.mark.parametrize(("name", "kind"), WORKLOADS)
    def test_every_container_has_resources_and_numeric_user(self, name: str, kind: str) -> None:
        """Every container has requests, a limit of memory, and a user by number."""
        for container in containers(name, kind):
            requests, limits = (container["resources"][key] for key in ("requests", "limits"))

            assert {"cpu", "memory", "ephemeral-storage"} == requests.keys()
            assert {"memory"} == limits.keys()
            assert 1000 < container["securityContext"]["runAsUser"]
            assert container["securityContext"]["readOnlyRootFilesystem"]

    @pytest.mark.parametrize(("name", "kind"), WORKLOADS)
    def test_pods_have_no_token(self, name: str, kind: str) -> None:
        """Pods have no token of Kubernetes' API."""
        assert template(name, kind)["spec"]["automountServiceAccountToken"] is False

    @pytest.mark.parametrize(("name", "kind"), WORKLOADS)
    def test_requested_disk_holds_volumes_of_pod(self, name: str, kind: str) -> None:
        """The requested disk holds the volumes of the pod, each of which has a size."""
        pods = [template(name, kind)["spec"]]
        if "operator" in name:
            pods.append(only("OpenTelemetryCollector", name)["spec"])
        volumes = [volume for pod in pods for volume in pod.get("volumes", ())]
        needed = sum(
            mebibytes(volume["emptyDir"]["sizeLimit"]) for volume in volumes if "emptyDir" in volume
        )
        requests = (container["resources"]["requests"] for container in containers(name, kind))

        assert needed <= sum(mebibytes(request["ephemeral-storage"]) for request in requests)

    @pytest.mark.parametrize(("name", "kind"), WORKLOADS)
    def test_no_container_limits_disk(self, name: str, kind: str) -> None:
        """No container limits the disk: the kubelet counts all files of a pod against one limit."""
        for container in containers(name, kind):
            assert "ephemeral-storage" not in container["resources"]["limits"]

    def test_application_has_three_probes_and_folder_to_write(self) -> None:
        """The application has three probes, and a folder to write to."""
        for name, kind in WORKLOADS[1:]:
            (application,) = template(name, kind)["spec"]["containers"]
            paths = {
                key: application[key]["httpGet"]["path"] for key in application if "Probe" in key
            }

            assert {
                "startupProbe": "/healthz",
                "readinessProbe": "/readyz",
                "livenessProbe": "/healthz",
            } == paths
            assert [{"name": "tmp", "mountPath": "/tmp"}] == application["volumeMounts"]

    def test_injected_container_is_in_restricted_profile(self, tmp_path: Path) -> None:
        """The container that the operator injects is in the restricted profile."""
        name, kind = WORKLOADS[2]
        workload = only(kind, name)
        spec = only("OpenTelemetryCollector", name)["spec"]
        fields = ("image", "env", "resources", "securityContext", "volumeMounts")
        pod = workload["spec"]["template"]["spec"]
        injected = {"name": "otc-container", **{field: spec[field] for field in fields}}
        whole = {
            **pod,
            "containers": [*pod["containers"], injected],
            "volumes": [*pod["volumes"], *spec["volumes"]],
        }
        workload = {
            **workload,
            "spec": {
                **workload["spec"],
                "template": {**workload["spec"]["template"], "spec": whole},
            },
        }
        path = tmp_path / "deployment.yaml"
        path.write_text(yaml.safe_dump(workload))
        done = subprocess.run(
            [tool("manifest-check"), path], capture_output=True, text=True, check=False
        )

        assert (0, "") == (done.returncode, done.stdout)

    def test_user_of_image_is_user_of_container(self) -> None:
        """The image of the examples has its user by number, the same as in the manifests."""
        (user,) = re.findall(r"^USER (\d+):\d+$", (STACK / "Dockerfile").read_text(), re.MULTILINE)
        (application,) = template(*WORKLOADS[1])["spec"]["containers"]

        assert int(user) == application["securityContext"]["runAsUser"]

    def test_claim_has_version_and_kind(self) -> None:
        """The claim of a volume has version and kind, as the API server stores it."""
        (claim,) = only("StatefulSet", "gateway.yaml")["spec"]["volumeClaimTemplates"]

        assert ("v1", "PersistentVolumeClaim") == (claim["apiVersion"], claim["kind"])


class TestNetworkPolicies:
    def test_gateway_admits_pods_with_sidecar_and_prometheus(self) -> None:
        """The gateway admits pods with a sidecar, and Prometheus, each to its own ports."""
        spec = only("NetworkPolicy", "gateway.yaml")["spec"]
        traces, scrapes = spec["ingress"]
        (sender,), (scraper,) = traces["from"], scrapes["from"]
        ports = {
            port["name"]: port["port"] for port in only("Service", "gateway.yaml")["spec"]["ports"]
        }

        assert spec["podSelector"] == only("StatefulSet", "gateway.yaml")["spec"]["selector"]
        assert [ports["otlp-grpc"]] == [port["port"] for port in traces["ports"]]
        of_prometheus = [ports["self-metrics"], ports["metrics"]]
        assert of_prometheus == [port["port"] for port in scrapes["ports"]]
        assert {"kubernetes.io/metadata.name": "observability"} == scraper["namespaceSelector"][
            "matchLabels"
        ]
        for name, kind in WORKLOADS[1:]:
            labels = template(name, kind)["metadata"]["labels"]
            assert sender["podSelector"]["matchLabels"].items() <= labels.items()

    @pytest.mark.parametrize(("name", "kind"), WORKLOADS[1:])
    def test_service_is_open_and_metrics_of_sidecar_are_not(self, name: str, kind: str) -> None:
        """The service is open to all, the metrics of its sidecar to Prometheus alone."""
        spec = only("NetworkPolicy", name)["spec"]
        service, metrics = spec["ingress"]
        ports = {port["name"]: port["port"] for port in only("Service", name)["spec"]["ports"]}

        assert spec["podSelector"] == only(kind, name)["spec"]["selector"]
        assert "from" not in service
        assert [ports["http"]] == [port["port"] for port in service["ports"]]
        assert {ports["metrics"], ports["self-metrics"]} == {p["port"] for p in metrics["ports"]}


class TestPlace:
    def test_namespace_option_moves_every_resource(self) -> None:
        """The option for the namespace moves every resource and every address."""
        options = Options(kubernetes=Kubernetes(namespace="mon"))
        texts = dict(manifest_files(BUILTIN, options))

        assert not any("observability" in text for text in texts.values())
        assert "otel-meta-gateway.mon.svc.cluster.local" in texts["sidecar-by-operator.yaml"]

    def test_labels_of_options_are_on_rules_and_monitors(self) -> None:
        """The labels of the options are on every monitor; the rules have a test of their own."""
        options = Options(kubernetes=Kubernetes(labels={"release": "stack"}))
        text = dict(manifest_files(BUILTIN, options))["service-monitors.yaml"]
        labels = [monitor["metadata"]["labels"] for monitor in read_all_yaml(text)]

        assert ["stack"] * 3 == [each["release"] for each in labels]
        assert all("otel-meta" == each["app.kubernetes.io/part-of"] for each in labels)

    def test_monitors_keep_labels_of_services(self) -> None:
        """The monitors of services keep the labels of series, such as `endpoint`."""
        endpoints = {
            endpoint["port"]: endpoint.get("honorLabels", False)
            for monitor in manifests("service-monitors.yaml")
            for endpoint in monitor["spec"]["endpoints"]
        }

        assert {"metrics": True, "http": True, "self-metrics": False} == endpoints

    def test_resources_of_one_kind_have_different_names(self) -> None:
        """Resources of one kind have different names, each with the prefix of otel-meta."""
        paths = [path for path in KUBERNETES.rglob("*.yaml") if path.name != WORKLOADS[2][0]]
        names = Counter(
            (resource["kind"], resource["metadata"]["name"])
            for resource in manifests(*map(str, paths))
        )
        shared = {name for kind, name in names if kind in {"PrometheusRule", "ServiceMonitor"}}

        assert {1} == {*names.values()}
        assert all(name.startswith("otel-meta-") for name in shared)


class TestCompose:
    def test_every_service_is_hardened(self) -> None:
        """Every service is hardened, and its log is bounded."""
        for name, service in compose().items():
            assert ["ALL"] == service["cap_drop"], name
            assert ["no-new-privileges:true"] == service["security_opt"], name
            assert service["read_only"], name
            assert {"max-size", "max-file"} == service["logging"]["options"].keys(), name

    def test_every_service_has_health_check_or_network_with_one(self) -> None:
        """Every service has a health check, or for a Collector the owner of its network has one."""
        for name in compose():
            asked = network_of(name) if name in COLLECTORS else name

            assert "healthcheck" in compose()[asked], name

    def test_health_check_of_network_asks_collector(self) -> None:
        """The health check of a network's owner asks the Collector in the same network."""
        for name in COLLECTORS:
            test = " ".join(compose()[network_of(name)]["healthcheck"]["test"])
            port = 14133 if "gateway" in name else 13133

            assert f"http://127.0.0.1:{port}/" in test

    def test_owner_of_network_depends_on_nothing(self) -> None:
        """The owner of a network depends on nothing, and starts no program that can fail."""
        owners = {network_of(name) for name in compose()} - {
            name for name in compose() if network_of(name) == name and "network" not in name
        }

        assert 4 == len(owners)
        for owner in owners:
            assert "depends_on" not in compose()[owner]
            assert ["sleep", "infinity"] == compose()[owner]["command"]

    def test_collectors_have_time_to_export(self) -> None:
        """Collectors have a minute to export what waits, when they are stopped."""
        assert {"60s"} == {compose()[name]["stop_grace_period"] for name in COLLECTORS}

    def test_grafana_needs_login_and_password(self) -> None:
        """Grafana needs a login, with a password that has no default."""
        environment = compose()["grafana"]["environment"]

        assert not [name for name in environment if "ANONYMOUS" in name]
        assert environment["GF_SECURITY_ADMIN_PASSWORD"].startswith("${GRAFANA_PASSWORD:?")

    def test_disk_of_prometheus_is_bounded(self) -> None:
        """The disk of Prometheus is bounded."""
        assert any(
            "retention.size=" in flag
            for flag in read("compose.yaml")["services"]["prometheus"]["command"]
        )
