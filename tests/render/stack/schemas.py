"""Schemas of the custom resources that the manifests use.

Written by hand from the projects' API references, and of the fields used here alone: whatever else
is there is a mistake. https://prometheus-operator.dev/docs/api-reference/api and
https://github.com/open-telemetry/opentelemetry-operator/blob/main/docs/api/opentelemetrycollectors.md
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
SPAN: Schema = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d|w|y))+$"}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}


def of(required: str = "", **properties: Schema) -> Schema:
    """An object of these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def many(items: Schema) -> Schema:
    """A list that is not empty."""
    return {"type": "array", "items": items, "minItems": 1}


def resource(version: str, kind: str, spec: Schema) -> Schema:
    """A whole resource."""
    return of(
        "apiVersion kind metadata spec",
        apiVersion={"const": version},
        kind={"const": kind},
        metadata=of("name", name=NAME, namespace=NAME, labels=TEXTS),
        spec=spec,
    )


RULE: Schema = {
    **of(
        "expr",
        record=TEXT,
        alert=TEXT,
        expr=TEXT,
        **{"for": SPAN},
        keep_firing_for=SPAN,
        labels=TEXTS,
        annotations=TEXTS,
    ),
    "oneOf": [{"required": ["record"]}, {"required": ["alert"]}],
}

CUSTOM: dict[str, Schema] = {
    "PrometheusRule": resource(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        of("groups", groups=many(of("name rules", name=TEXT, interval=SPAN, rules=many(RULE)))),
    ),
    "ServiceMonitor": resource(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        of(
            "selector endpoints",
            namespaceSelector=of(any={"type": "boolean"}),
            selector=of(matchLabels=TEXTS),
            endpoints=many(
                of("port", port=TEXT, path=TEXT, interval=SPAN, honorLabels={"type": "boolean"})
            ),
        ),
    ),
    # What is checked as part of a pod below is any here.
    "OpenTelemetryCollector": resource(
        "opentelemetry.io/v1beta1",
        "OpenTelemetryCollector",
        of(
            "mode config",
            mode={"enum": ["daemonset", "deployment", "sidecar", "statefulset"]},
            image=TEXT,
            env=many({"type": "object"}),
            resources={"type": "object"},
            securityContext={"type": "object"},
            ports=many(of("name port", name=TEXT, port=PORT, protocol={"enum": ["TCP", "UDP"]})),
            volumeMounts=many({"type": "object"}),
            volumes=many({"type": "object"}),
            config={
                **of(
                    "receivers exporters service",
                    receivers={"type": "object"},
                    exporters={"type": "object"},
                    processors={"type": "object"},
                    connectors={"type": "object"},
                    extensions={"type": "object"},
                    service=of(
                        "pipelines",
                        extensions=many(TEXT),
                        telemetry={"type": "object"},
                        pipelines={"type": "object"},
                    ),
                )
            },
        ),
    ),
}
