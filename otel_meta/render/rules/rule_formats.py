"""Rule files in the formats of four rulers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

from otel_meta.render._yaml import to_yaml
from otel_meta.render.header import generated_from

from .rule import AlertRule, Group, Record, Rule, RuleFile
from .time_scale import REAL_TIME, scaled


def prometheus(file: RuleFile, time_scale: Fraction = REAL_TIME) -> str:
    """Render a file for Prometheus' ``rule_files``; Thanos' ruler reads the same format.

    Args:
        file: the rules.
        time_scale: for demos and tests; at 1/60, every hour in a rule becomes a minute.
    """
    return to_yaml({"groups": scaled(_groups(file), time_scale)}, comment=_comment(file))


def prometheus_operator(file: RuleFile) -> str:
    """Render a PrometheusRule resource for Kubernetes."""
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": file.name.replace(".", "-"),
            "labels": {"app.kubernetes.io/part-of": "otel-meta"},
        },
        "spec": {"groups": _groups(file)},
    }
    return to_yaml(resource, comment=_comment(file))


def mimir(file: RuleFile) -> str:
    """Render a file for ``mimirtool rules load``, which needs a namespace in each file."""
    return to_yaml({"namespace": file.name, "groups": _groups(file)}, comment=_comment(file))


def vmalert(file: RuleFile) -> str:
    """Render a file for vmalert, which refuses unknown fields; no field here is unknown."""
    return prometheus(file)


FORMATS: Final[Mapping[str, Callable[[RuleFile], str]]] = MappingProxyType(
    {
        "prometheus": prometheus,
        "prometheus-operator": prometheus_operator,
        "mimir": mimir,
        "vmalert": vmalert,
    }
)


def _comment(file: RuleFile) -> str:
    return generated_from(file.source)


def _groups(file: RuleFile) -> list[dict[str, Any]]:
    return [_group(group) for group in file.groups]


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "interval": str(group.interval),
        "rules": [_rule(rule) for rule in group.rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    fields = _record(rule) if isinstance(rule, Record) else _alert(rule)
    return {name: value for name, value in fields.items() if value}


def _record(rule: Record) -> dict[str, Any]:
    return {"record": rule.record, "expr": rule.expr, "labels": dict(rule.labels)}


def _alert(rule: AlertRule) -> dict[str, Any]:
    return {
        "alert": rule.alert,
        "expr": rule.expr,
        "for": str(rule.for_ or ""),
        "keep_firing_for": str(rule.keep_firing or ""),
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
    }
