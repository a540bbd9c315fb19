"""Every form in which a Collector configuration reaches a user, with the variables of the form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from otel_meta.model import Catalog
from otel_meta.render._yaml import to_yaml
from otel_meta.render.collector.env_variables import (
    GATEWAY_VARIABLES,
    SIDECAR_VARIABLES,
    Variable,
)
from otel_meta.render.collector.gateway import gateway_config
from otel_meta.render.collector.sidecar import sidecar_config
from otel_meta.render.collector.span_metrics import span_metrics_config
from otel_meta.render.collector.substitution import resolve_variables
from otel_meta.repos import BUILTIN
from tests.backends.collector_server import merge_configs
from tests.render.stack.committed_stack import ROOT, compose, manifests
from tests.yaml_files import read_yaml

CONFIG = ROOT / "collector-config"
_SECTIONS = {"receivers", "processors", "exporters", "connectors", "extensions", "service"}
_REFERENCES = re.compile(r"\$\{env:(\w+)")

Environment = Mapping[str, str]


@dataclass(frozen=True)
class Form:
    """The texts that a Collector merges, and the variables that come with them."""

    texts: tuple[str, ...]
    environment: Environment = field(default_factory=dict[str, str])

    @property
    def variables(self) -> set[str]:
        """Names of the variables that the texts read."""
        return {name for text in self.texts for name in _REFERENCES.findall(text)}


def forms() -> dict[str, Form]:
    """Return all forms by name."""
    return {
        **dict(_committed()),
        **dict(_merged()),
        **dict(_resolved()),
        **dict(_in_compose()),
        **dict(_in_manifests()),
        **dict(_documented()),
    }


def other_values() -> Environment:
    """Return a valid value, which is not the default, for every variable."""
    variables = {v.name: v for v in (*SIDECAR_VARIABLES, *GATEWAY_VARIABLES)}
    return {name: _other_value(v, place) for place, (name, v) in enumerate(variables.items())}


_OTHER_VALUES = {
    "OTEL_META_EXPOSE_HOST": "0.0.0.0",  # validated, not opened
    "OTEL_META_INSTANCE": "pod-1",
    "OTEL_META_GATEWAY_HOST": "gateways.observability.svc",
    "OTEL_META_TRACE_STORE": "jaeger:4317",
    "OTEL_META_LOG_EXPORTER": "load_balancing",
    "OTEL_META_GATEWAY_LOG_EXPORTER": "otlp_http/log_store",
    "OTEL_META_LOG_STORE": "https://logs.example/otlp",
    "OTEL_META_SAMPLING_PERCENT": "12.5",
    "OTEL_META_MEMORY_MIB": "300",
    "OTEL_META_GATEWAY_MEMORY_MIB": "300",
}


def _other_value(variable: Variable, place: int) -> str:
    if variable.name in _OTHER_VALUES:
        return _OTHER_VALUES[variable.name]
    if variable.default in {"true", "false"}:
        return "false" if variable.default == "true" else "true"
    if variable.name.endswith("_PORT"):
        return str(20000 + place)
    if variable.name.endswith("_DIR"):
        return f"/tmp/otel-meta-{place}"  # validated, not created
    number, unit = re.fullmatch(r"(\d+)(\w*)", variable.default).groups()  # type: ignore[union-attr]
    return f"{int(number) + 7}{unit}"


def _file(name: str) -> str:
    return (CONFIG / name).read_text()


def _committed() -> Iterator[tuple[str, Form]]:
    for names in (("sidecar.yaml",), ("sidecar.yaml", "span-metrics.yaml"), ("gateway.yaml",)):
        yield f"committed {' + '.join(names)}", Form(tuple(map(_file, names)))


def _configs() -> dict[str, Any]:
    return {
        "sidecar": sidecar_config(),
        "sidecar and span metrics": merge_configs(sidecar_config(), span_metrics_config()),
        "gateway": gateway_config(BUILTIN),
        "gateway without meta-repositories": gateway_config(Catalog()),
    }


def _merged() -> Iterator[tuple[str, Form]]:
    for name, config in _configs().items():
        yield f"merged {name}", Form((to_yaml(config, comment=""),))


def _resolved() -> Iterator[tuple[str, Form]]:
    choices: dict[str, Environment] = {"defaults": {}, "other values": other_values()}
    for values, environment in choices.items():
        for name, config in _configs().items():
            text = to_yaml(resolve_variables(config, environment), comment="")
            yield f"{name} resolved by {values}, in YAML", Form((text,))
            as_json = json.dumps(read_yaml(text))
            yield f"{name} resolved by {values}, in JSON", Form((as_json,))


def _in_compose() -> Iterator[tuple[str, Form]]:
    for name, service in compose().items():
        for argument in service.get("command", ()):
            if argument.startswith("--config=/etc/otelcol/"):
                text = _file(argument.rpartition("/")[2])
                yield f"compose {name}", Form((text,), service["environment"])


def _in_manifests() -> Iterator[tuple[str, Form]]:
    resources = [*manifests()]
    for resource in resources:
        name = f"{resource['kind']} {resource['metadata']['name']}"
        if resource["kind"] == "OpenTelemetryCollector":
            environment = _environment(resource["spec"])
            yield name, Form((yaml.safe_dump(resource["spec"]["config"]),), environment)
            yield f"{name} in JSON", Form((json.dumps(resource["spec"]["config"]),), environment)
        if resource["kind"] == "ConfigMap":
            for key, text in resource["data"].items():
                yield f"{name} {key}", Form((text,), _environment_of_readers(resources, key))


def _environment_of_readers(resources: list[Any], file: str) -> Environment:
    """Return the variables of the container that reads a file of a ConfigMap."""
    templates = [
        r["spec"]["template"]["spec"] for r in resources if "template" in r.get("spec", {})
    ]
    pods = [*templates]
    (container,) = (
        container
        for pod in pods
        for container in (*pod.get("initContainers", ()), *pod["containers"])
        if f"--config=/etc/otelcol/{file}" in container.get("args", ())
    )
    return _environment(container)


def _environment(container: Any) -> Environment:
    return {v["name"]: v.get("value", "pod-1") for v in container["env"]}


def _documented() -> Iterator[tuple[str, Form]]:
    """Yield the examples of second files in documents, over the sidecar's file."""
    for path in sorted([*CONFIG.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]):
        blocks = re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL)
        for place, text in enumerate(blocks):
            if _is_configuration(read_yaml(text)):
                name = f"{path.relative_to(ROOT)} example {place}"
                yield name, Form((_file("sidecar.yaml"), text))


def _is_configuration(document: Any) -> bool:
    return isinstance(document, dict) and bool(document) and {*document} <= _SECTIONS
