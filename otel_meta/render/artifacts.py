"""The path and the text of every generated file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from otel_meta.model import Catalog, MetaRepo

from .artifact import Artifact
from .collector import collector_files
from .collisions import refuse_collisions
from .dashboards import dashboards
from .docs.reference import reference
from .docs.runbooks import runbooks
from .options import Options
from .rules import alerting_rules, overview, recording_rules
from .rules.rule import Group, RuleFile
from .rules.rule_formats import FORMATS, prometheus_operator
from .rules.telemetry import telemetry_groups
from .stack import stack_files

RULES: Final = PurePosixPath("rules")
DOCS: Final = PurePosixPath("docs")
DASHBOARDS: Final = PurePosixPath("dashboards")
COLLECTOR: Final = PurePosixPath("collector-config")
STACK: Final = PurePosixPath("stack")

__all__ = ["Artifact", "artifacts_of", "rule_files"]


def artifacts_of(catalog: Catalog, options: Options) -> list[Artifact]:
    """Return every file of a catalogue, in a stable order.

    Raises:
        DeclarationError: two files, dashboards, groups of rules or resources have the same name.
    """
    rules = tuple(rule_files(catalog, options))
    found = list(_artifacts(catalog, options, rules))
    refuse_collisions(catalog, found, rules)
    return found


def _artifacts(catalog: Catalog, options: Options, rules: Sequence[RuleFile]) -> Iterator[Artifact]:
    text_of = FORMATS[options.rule_format]
    for file in rules:
        yield Artifact(RULES / f"{file.name}.yml", text_of(file, options.kubernetes))
    for name, text in runbooks(catalog, options):
        yield Artifact(DOCS / "runbooks" / f"{name}.md", text)
    yield Artifact(DOCS / "reference.md", reference(catalog, options))
    for name, text in dashboards(catalog, options):
        yield Artifact(DASHBOARDS / name, text)
    for name, text in collector_files(catalog, options.identity):
        yield Artifact(COLLECTOR / name, text)
    for name, text in stack_files(catalog, options):
        yield Artifact(STACK / name, text)
    for file in rules:
        path = STACK / "kubernetes" / "rules" / f"{file.name.replace('.', '-')}.yaml"
        yield Artifact(path, prometheus_operator(file, options.kubernetes))


def rule_files(catalog: Catalog, options: Options) -> Iterator[RuleFile]:
    """Yield two files for each meta-repository, recording and alerting, and three across them."""
    for repo in catalog:
        yield _file(repo, "recording", tuple(recording_rules.recording_groups(repo, options)))
        yield _file(repo, "alerting", tuple(alerting_rules.alerting_groups(repo, options)))
    source = "otel_meta/render/rules/overview.py"
    yield RuleFile("cross.recording", source, tuple(overview.recording_groups(options)))
    yield RuleFile("cross.alerting", source, tuple(overview.alerting_groups(catalog, options)))
    source = "otel_meta/render/rules/telemetry"
    yield RuleFile("telemetry.alerting", source, tuple(telemetry_groups(catalog, options)))


def _file(repo: type[MetaRepo], kind: str, groups: tuple[Group, ...]) -> RuleFile:
    return RuleFile(f"{repo.name}.{kind}", f"{repo.__module__}.{repo.__qualname__}", groups)
