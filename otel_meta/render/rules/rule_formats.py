"""Rule files as each ruler wants them: one model, four renderings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

from otel_meta.render._yaml import to_yaml
from otel_meta.render.header import generated_from

from .intervals import EVALUATION_INTERVAL
from .rule import AlertRule, Group, Record, Rule, RuleFile
from .time_scale import REAL_TIME, scaled


def prometheus(file: RuleFile, time_scale: Fraction = REAL_TIME) -> str:
    """For Prometheus' ``rule_files``; Thanos' ruler takes it as it is.

    ``time_scale`` is for demos and tests: at 1/60, an hour of every rule is a minute.
    """
    return to_yaml({"groups": scaled(_groups(file), time_scale)}, comment=_comment(file))


def prometheus_operator(file: RuleFile) -> str:
    """A PrometheusRule resource for Kubernetes."""
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
    """For ``mimirtool rules load``, which wants a namespace a file."""
    return to_yaml({"namespace": file.name, "groups": _groups(file)}, comment=_comment(file))


def vmalert(file: RuleFile) -> str:
    """For vmalert, which refuses fields that it does not know; it knows all that is used here."""
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
        "interval": str(EVALUATION_INTERVAL),
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
