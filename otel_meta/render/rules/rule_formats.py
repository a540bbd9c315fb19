"""Rule files in the formats of rulers, operators and Helm."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, Protocol

from otel_meta.render._yaml import to_yaml
from otel_meta.render.header import generated_from
from otel_meta.render.options import Kubernetes

from .rule import AlertRule, Group, Record, Rule, RuleFile
from .time_scale import REAL_TIME, scaled

RULER_LABEL: Final = "otel-meta/ruler"
"""The label by which a ThanosRuler selects its rules, and a Prometheus does not."""
_PART_OF: Final = {"app.kubernetes.io/part-of": "otel-meta"}
_PLACE: Final = Kubernetes()
_BRACES: Final = re.compile(r"\{\{|\}\}")


class Format(Protocol):
    """Renders a rule file; the place is of interest to resources of Kubernetes only."""

    def __call__(self, file: RuleFile, place: Kubernetes = ..., /) -> str:
        """Return the text of the file."""
        ...


def prometheus(file: RuleFile, time_scale: Fraction = REAL_TIME) -> str:
    """Render a file for Prometheus' ``rule_files``; Thanos' ruler reads the same format.

    Args:
        file: the rules.
        time_scale: for demos and tests; at 1/60, every hour in a rule becomes a minute.
    """
    return to_yaml({"groups": scaled(_groups(file), time_scale)}, comment=_comment(file))


def prometheus_operator(file: RuleFile, place: Kubernetes = _PLACE) -> str:
    """Render a PrometheusRule resource for Kubernetes."""
    return to_yaml(_prometheus_rule(file, _groups(file), place), comment=_comment(file))


def thanos_ruler(file: RuleFile, place: Kubernetes = _PLACE) -> str:
    """Render a PrometheusRule resource that a ThanosRuler selects, by a label of its own.

    A partial response is an error: a sum over a part of the stores would be wrong.
    """
    groups = [{**group, "partial_response_strategy": "abort"} for group in _groups(file)]
    resource = _prometheus_rule(file, groups, place)
    resource["metadata"]["labels"][RULER_LABEL] = "thanos"
    return to_yaml(resource, comment=_comment(file))


def vm_rule(file: RuleFile, place: Kubernetes = _PLACE) -> str:
    """Render a VMRule resource for the operator of VictoriaMetrics."""
    resource = {
        "apiVersion": "operator.victoriametrics.com/v1beta1",
        "kind": "VMRule",
        "metadata": _metadata(file, place),
        "spec": {"groups": _groups(file)},
    }
    return to_yaml(resource, comment=_comment(file))


def helm(file: RuleFile, place: Kubernetes = _PLACE) -> str:
    """Render a PrometheusRule resource for the folder templates/ of a chart.

    Helm reads the templates of alerts as its own, so each brace pair is a string to Helm. The
    release decides the namespace.
    """
    resource = _prometheus_rule(file, _groups(file), place)
    del resource["metadata"]["namespace"]
    text = to_yaml(resource, comment=_comment(file))
    return _BRACES.sub(lambda braces: f'{{{{ "{braces[0]}" }}}}', text)


def mimir(file: RuleFile) -> str:
    """Render a file for ``mimirtool rules load``, which needs a namespace in each file."""
    return to_yaml({"namespace": file.name, "groups": _groups(file)}, comment=_comment(file))


def vmalert(file: RuleFile) -> str:
    """Render a file for vmalert, which refuses unknown fields; no field here is unknown."""
    return prometheus(file)


def resource_name(file: RuleFile) -> str:
    """Return the name of a file's resource in Kubernetes, with a prefix: namespaces are shared."""
    return f"otel-meta-{file.name.replace('.', '-')}"


def _anywhere(render: Callable[[RuleFile], str]) -> Format:
    """Return a format for programs that read files, on any machine."""
    return lambda file, _place=_PLACE, /: render(file)


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "prometheus": _anywhere(prometheus),
        "prometheus-operator": prometheus_operator,
        "thanos-ruler": thanos_ruler,
        "mimir": _anywhere(mimir),
        "vmalert": _anywhere(vmalert),
        "victoriametrics-operator": vm_rule,
        "helm": helm,
    }
)


def _prometheus_rule(
    file: RuleFile, groups: list[dict[str, Any]], place: Kubernetes
) -> dict[str, Any]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": _metadata(file, place),
        "spec": {"groups": groups},
    }


def _metadata(file: RuleFile, place: Kubernetes) -> dict[str, Any]:
    return {
        "name": resource_name(file),
        "namespace": place.namespace,
        "labels": {**_PART_OF, **place.labels},
    }


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
