"""JSON schemas of the custom resources in the manifests.

The schemas contain only the fields in use, so that a misspelt field is an error. They are written
by hand from the API references: https://prometheus-operator.dev/docs/api-reference/api and
https://github.com/open-telemetry/opentelemetry-operator/blob/main/docs/api/opentelemetrycollectors.md
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
COUNT: Schema = {"type": "integer", "minimum": 1}
NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
DURATION: Schema = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d|w|y))+$"}
STRING_MAP: Schema = {"type": "object", "additionalProperties": TEXT}


def strict_object(required: str = "", **properties: Schema) -> Schema:
    """Return the schema of an object with no other fields than the given."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def non_empty_list(items: Schema) -> Schema:
    """Return the schema of a list with at least one item."""
    return {"type": "array", "items": items, "minItems": 1}


def resource(version: str, kind: str, spec: Schema) -> Schema:
    """Return the schema of a custom resource."""
    return strict_object(
        "apiVersion kind metadata spec",
        apiVersion={"const": version},
        kind={"const": kind},
        metadata=strict_object("name", name=NAME, namespace=NAME, labels=STRING_MAP),
        spec=spec,
    )


RULE: Schema = {
    **strict_object(
        "expr",
        record=TEXT,
        alert=TEXT,
        expr=TEXT,
        **{"for": DURATION},
        keep_firing_for=DURATION,
        labels=STRING_MAP,
        annotations=STRING_MAP,
    ),
    "oneOf": [{"required": ["record"]}, {"required": ["alert"]}],
}

CUSTOM_RESOURCES: dict[str, Schema] = {
    "PrometheusRule": resource(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        strict_object(
            "groups",
            groups=non_empty_list(
                strict_object(
                    "name rules", name=TEXT, interval=DURATION, rules=non_empty_list(RULE)
                )
            ),
        ),
    ),
    "ServiceMonitor": resource(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        strict_object(
            "selector endpoints",
            namespaceSelector=strict_object(any={"type": "boolean"}),
            selector=strict_object(matchLabels=STRING_MAP),
            endpoints=non_empty_list(
                strict_object(
                    "port", port=TEXT, path=TEXT, interval=DURATION, honorLabels={"type": "boolean"}
                )
            ),
        ),
    ),
    # Fields of a container are any here; test_schemas.py checks them as part of a pod.
    "OpenTelemetryCollector": resource(
        "opentelemetry.io/v1beta1",
        "OpenTelemetryCollector",
        strict_object(
            "mode config",
            mode={"enum": ["daemonset", "deployment", "sidecar", "statefulset"]},
            image=TEXT,
            env=non_empty_list({"type": "object"}),
            resources={"type": "object"},
            securityContext={"type": "object"},
            ports=non_empty_list(
                strict_object("name port", name=TEXT, port=PORT, protocol={"enum": ["TCP", "UDP"]})
            ),
            livenessProbe=strict_object(
                periodSeconds=COUNT, timeoutSeconds=COUNT, failureThreshold=COUNT
            ),
            volumeMounts=non_empty_list({"type": "object"}),
            volumes=non_empty_list({"type": "object"}),
            config={
                **strict_object(
                    "receivers exporters service",
                    receivers={"type": "object"},
                    exporters={"type": "object"},
                    processors={"type": "object"},
                    connectors={"type": "object"},
                    extensions={"type": "object"},
                    service=strict_object(
                        "pipelines",
                        extensions=non_empty_list(TEXT),
                        telemetry={"type": "object"},
                        pipelines={"type": "object"},
                    ),
                )
            },
        ),
    ),
}
