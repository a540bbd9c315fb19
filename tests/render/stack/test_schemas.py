"""Validates the stack's files against the schemas of Docker Compose and Kubernetes."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]  # the package has no type hints
import pytest

from tests.render.stack.committed_stack import KUBERNETES, manifests, only, read
from tests.render.stack.custom_resources import CUSTOM_RESOURCES

VERSIONS = ["1.29", "1.37"]
"""The oldest Kubernetes with native sidecars, and the newest with an available schema."""

RESOURCES: dict[str, Any] = {
    f"{path.name}: {resource['kind']} {resource['metadata']['name']}": resource
    for path in sorted(KUBERNETES.rglob("*.yaml"))
    for resource in manifests(str(path))
}
CORE = [name for name, resource in RESOURCES.items() if resource["kind"] not in CUSTOM_RESOURCES]
CUSTOM = [name for name, resource in RESOURCES.items() if resource["kind"] in CUSTOM_RESOURCES]


def compose_schema() -> Any:
    """Read the schema of the compose specification from the package check-jsonschema."""
    path = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return json.loads(path.read_text())


def violations(schema: Any, document: Any) -> list[str]:
    """Return path and message of each violation of a schema."""
    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in errors]


class TestCompose:
    def test_compose_file_is_valid(self) -> None:
        """The compose file is valid."""
        assert [] == violations(compose_schema(), read("compose.yaml"))

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

    @pytest.mark.parametrize("name", CUSTOM)
    def test_custom_resources_are_valid(self, name: str) -> None:
        """Custom resources are valid."""
        resource = RESOURCES[name]

        assert [] == violations(CUSTOM_RESOURCES[resource["kind"]], resource)

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
