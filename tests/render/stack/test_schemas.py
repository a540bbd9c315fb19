"""Validates the stack's files against the schemas of Docker Compose and Kubernetes."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]  # the package has no type hints
import pytest
import yaml

from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Kubernetes, Options
from otel_meta.render.rules.rule_formats import FORMATS
from otel_meta.render.stack.kubernetes import manifests as manifest_files
from otel_meta.repos import BUILTIN
from tests.document_blocks import blocks
from tests.render.stack.committed_stack import (
    COMPOSE_FILES,
    KUBERNETES,
    manifests,
    only,
    read,
)
from tests.rules.pinned_tools import tool
from tests.yaml_files import read_yaml

VERSIONS = ["1.29", "1.37"]
"""The oldest Kubernetes with native sidecars, and the newest with an available schema."""

RESOURCES: dict[str, Any] = {
    f"{path.name}: {resource['kind']} {resource['metadata']['name']}": resource
    for path in sorted(KUBERNETES.rglob("*.yaml"))
    for resource in manifests(str(path))
}
CUSTOM = ("monitoring.coreos.com/v1", "opentelemetry.io/v1beta1")
"""Versions of the custom resources."""
CORE = [name for name, resource in RESOURCES.items() if resource["apiVersion"] not in CUSTOM]


def compose_schema() -> Any:
    """Read the schema of the compose specification from the package check-jsonschema."""
    path = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return json.loads(path.read_text())


def violations(schema: Any, document: Any) -> list[str]:
    """Return path and message of each violation of a schema."""
    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in errors]


class TestCompose:
    @pytest.mark.parametrize("name", COMPOSE_FILES)
    def test_compose_file_is_valid(self, name: str) -> None:
        """The compose file is valid."""
        assert [] == violations(compose_schema(), read(name))

    def test_misspelt_field_violates_compose_schema(self) -> None:
        """A misspelt field violates the compose schema."""
        document = {"services": {"a": {"image": "b", "restrat": "always"}}}

        assert 1 == len(violations(compose_schema(), document))


class TestKubernetes:
    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("name", CORE)
    def test_kubernetes_resources_are_valid_in_oldest_and_newest_version(
        self, name: str, version: str
    ) -> None:
        """Kubernetes resources are valid in the oldest and the newest version."""
        assert version == kubernetes_validate.validate(RESOURCES[name], version, strict=True)

    def test_misspelt_field_violates_kubernetes_schema(self) -> None:
        """A misspelt field violates the Kubernetes schema."""
        service = only("Service", "gateway.yaml")
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(
                {**service, "spec": {**service["spec"], "selektor": {}}}, VERSIONS[0], strict=True
            )

    def test_container_fields_of_collector_resource_are_valid_in_pod(self) -> None:
        """The container fields of the OpenTelemetryCollector are valid in a pod."""
        spec = only("OpenTelemetryCollector", "sidecar-by-operator.yaml")["spec"]
        fields = ("image", "env", "resources", "securityContext", "volumeMounts")
        container = {"name": "otc-container", **{field: spec[field] for field in fields}}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pod"},
            "spec": {"containers": [container], "volumes": spec["volumes"]},
        }

        assert VERSIONS[0] == kubernetes_validate.validate(pod, VERSIONS[0], strict=True)


class TestManifestCheck:
    """An API server with the definitions of the operators, and Pod Security admission."""

    def findings(self, *paths: Path) -> list[str]:
        """Return the findings of the program about files."""
        done = subprocess.run(
            [tool("manifest-check"), *paths], capture_output=True, text=True, check=False
        )
        assert "" == done.stderr
        assert (0 if done.stdout == "" else 1) == done.returncode
        return done.stdout.splitlines()

    def changed(self, folder: Path, name: str, kind: str, **fields: Any) -> list[str]:
        """Return the findings about a committed resource with other fields in its spec."""
        resource = only(kind, name)
        path = folder / name
        path.write_text(yaml.safe_dump({**resource, "spec": {**resource["spec"], **fields}}))
        return [line.removeprefix(f"{path}: ") for line in self.findings(path)]

    def test_api_server_admits_every_manifest(self) -> None:
        """An API server admits every manifest, with pods in the restricted profile."""
        assert [] == self.findings(*sorted(KUBERNETES.rglob("*.yaml")))

    def test_manifests_of_other_namespace_and_labels_are_admitted(self, tmp_path: Path) -> None:
        """Manifests for another namespace and with more labels are admitted."""
        options = Options(kubernetes=Kubernetes(namespace="mon", labels={"release": "stack"}))
        paths: list[Path] = []
        for name, text in manifest_files(BUILTIN, options):
            paths.append(tmp_path / name)
            paths[-1].write_text(text)

        assert [] == self.findings(*paths)

    def test_resources_of_documents_are_admitted(self, tmp_path: Path) -> None:
        """The resources in the documents are admitted, and select the rules of their format."""
        (block,) = (block for block in blocks("yaml") if "kind: ThanosRuler" in block.text)
        path = tmp_path / "thanos-ruler.yaml"
        path.write_text(block.text)
        selector = read_yaml(block.text)["spec"]["ruleSelector"]["matchLabels"]
        (file, *_) = rule_files(BUILTIN, Options())
        labels = read_yaml(FORMATS["thanos-ruler"](file))["metadata"]["labels"]

        assert [] == self.findings(path)
        assert selector.items() <= labels.items()

    def test_misspelt_field_of_custom_resource_is_found(self, tmp_path: Path) -> None:
        """A misspelt field of a custom resource is found."""
        found = self.changed(
            tmp_path, "sidecar-by-operator.yaml", "OpenTelemetryCollector", imagePullPolcy="Always"
        )

        assert [
            "OpenTelemetryCollector otel-meta-sidecar: unknown field spec.imagePullPolcy"
        ] == found

    def test_wrong_value_of_custom_resource_is_found(self, tmp_path: Path) -> None:
        """A value that the definition does not admit is found."""
        (found,) = self.changed(
            tmp_path, "sidecar-by-operator.yaml", "OpenTelemetryCollector", mode="side"
        )

        assert 'Unsupported value: "side"' in found

    def test_pod_outside_of_restricted_profile_is_found(self, tmp_path: Path) -> None:
        """A pod outside of the restricted profile is found."""
        template = only("StatefulSet", "gateway.yaml")["spec"]["template"]
        pod = {**template["spec"], "hostNetwork": True}
        (found,) = self.changed(
            tmp_path, "gateway.yaml", "StatefulSet", template={**template, "spec": pod}
        )

        assert "host namespaces: hostNetwork=true" in found
