"""Names of generated files that may occur once: paths, dashboards, groups of rules, resources.

A second file of the same name would replace the first without a word; Grafana stops provisioning
all dashboards at a second use of a uid.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from otel_meta.errors import DeclarationError
from otel_meta.model import Catalog

from .artifact import Artifact
from .rules.rule import AlertRule, RuleFile
from .rules.rule_formats import resource_name


class _Name(NamedTuple):
    """A name, and the kind of thing that has the name."""

    kind: str
    name: str


def refuse_collisions(
    catalog: Catalog, artifacts: Iterable[Artifact], files: Iterable[RuleFile]
) -> None:
    """Refuse files that would have the name of another file, and alerts of a generated name.

    Raises:
        DeclarationError: two files, dashboards, groups or resources have the same name, or a
            declared alert has the name of an alert that the generator adds.
    """
    files = list(files)
    _refuse_alerts(catalog, files)
    counted = Counter((*_of_artifacts(artifacts), *_of_rules(files), *_of_runbooks(catalog)))
    for (kind, name), count in counted.items():
        if count > 1:
            raise DeclarationError(
                f"{kind} {name}", f"would be generated {count} times", _fix(catalog, name)
            )


def _refuse_alerts(catalog: Catalog, files: Iterable[RuleFile]) -> None:
    """Refuse declared alerts whose name routes and inhibitions know as another alert."""
    used = Counter(
        rule.alert
        for file in files
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, AlertRule)
    )
    for alert in (alert for repo in catalog for alert in repo.alerts.values()):
        if used[alert.name] > 1:
            raise DeclarationError(
                f"alert {alert.name!r}",
                "is an alert that the generator adds",
                "choose another name",
            )


def _of_artifacts(artifacts: Iterable[Artifact]) -> Iterator[_Name]:
    for artifact in artifacts:
        yield _Name("file", str(artifact.path).casefold())  # as file systems without case
        if artifact.path.parts[0] == "dashboards":
            yield _Name("dashboard", json.loads(artifact.text)["uid"])


def _of_rules(files: Iterable[RuleFile]) -> Iterator[_Name]:
    for file in files:
        yield _Name("PrometheusRule", resource_name(file))
        yield from (_Name("group", f"{group.name} of {file.name}") for group in file.groups)


def _of_runbooks(catalog: Catalog) -> Iterator[_Name]:
    """Yield the sections of runbooks, by their anchors, which are in lower case."""
    for repo in catalog:
        slos = (slo.name for slo in repo.slos.values())
        alerts = (alert.name for alert in repo.alerts.values())
        for heading in (*slos, *alerts):
            yield _Name("section", f"{repo.name}.md#{heading.lower()}")


def _fix(catalog: Catalog, name: str) -> str:
    """Return the advice, with the meta-repositories and SLOs whose names are in the name."""
    repos = [repo.name for repo in catalog if repo.name in name]
    slos = [slo.name for repo in catalog for slo in repo.slos.values() if slo.name in name]
    found = [f"the meta-repository {repo!r}" for repo in repos] + [
        f"the SLO {slo!r}" for slo in slos
    ]
    return f"rename {' or '.join(found) or 'a meta-repository'}"
