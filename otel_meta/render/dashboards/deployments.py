"""Annotations of deployments: the time at which a version of a service began to report."""

from __future__ import annotations

from typing import Final

from otel_meta.render.rules.promql_builder import lines, selector, sum_by

from .grafana.panel import Annotation
from .scope import Scope

_TARGET: Final = "target_info"
"""The series with the resource attributes of each process."""
_VERSION: Final = "service_version"


def deployments(scope: Scope) -> Annotation:
    """Return the annotation of new versions of the chosen services.

    A version is new for ten minutes after an hour without it.
    """
    labels = (*scope.service_labels, _VERSION)
    series = selector(_TARGET, (*scope.service_matchers, f'{_VERSION}!=""'))
    earlier = f"last_over_time({series}[1h] offset 10m)"
    return Annotation(
        name="Deployments",
        expr=lines(sum_by(labels, series, "max"), "unless", sum_by(labels, earlier, "max")),
        title="{{service_name}} {{service_version}}",
        text="First report of this version. " + scope.service_legend,
    )
