"""Every file of the stack against the schema of what reads it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from tests.render.stack.schemas import CUSTOM
from tests.render.stack.support import KUBERNETES, manifests, only, read

VERSIONS = ["1.29", "1.37"]
"""The oldest Kubernetes with native sidecars, and the newest whose schema is at hand."""

MANIFESTS = [
    pytest.param(one, id=f"{path.name}: {one['kind']} {one['metadata']['name']}")
    for path in sorted(KUBERNETES.rglob("*.yaml"))
    for one in manifests(str(path))
]
CORE = [case for case in MANIFESTS if case.values[0]["kind"] not in CUSTOM]
OWN = [case for case in MANIFESTS if case.values[0]["kind"] in CUSTOM]


def compose_schema() -> Any:
    """The compose specification's, as check-jsonschema brings it."""
    path = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return json.loads(path.read_text())


def problems(schema: Any, document: Any) -> list[str]:
    """What a schema finds wrong."""
    found = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


class TestCompose:
    def test_valid(self) -> None:
        """The compose file is one."""
        assert [] == problems(compose_schema(), read("compose.yaml"))

    def test_strict(self) -> None:
        """The schema would notice a misspelt field."""
        document = {"services": {"a": {"image": "b", "restrat": "always"}}}

        assert 1 == len(problems(compose_schema(), document))


class TestKubernetes:
    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("one", CORE)
    def test_core(self, one: Any, version: str) -> None:
        """Kubernetes knows every field, since it knows native sidecars."""
        assert version == kubernetes_validate.validate(one, version, strict=True)

    def test_strict(self) -> None:
        """The schema would notice a misspelt field."""
        service = only("Service", "gateway.yaml")
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(
                {**service, "spec": {**service["spec"], "selektor": {}}}, VERSIONS[0], strict=True
            )

    @pytest.mark.parametrize("one", OWN)
    def test_custom(self, one: Any) -> None:
        """The operators' resources have fields that their references name."""
        assert [] == problems(CUSTOM[one["kind"]], one)

    def test_operator_container(self) -> None:
        """What the operator puts into a container would do in a pod."""
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
