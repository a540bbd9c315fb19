"""Rule files against a catalogue: does everything that they name exist, and can it match?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from otel_meta.model import Catalog
from otel_meta.render.artifacts import rule_files
from otel_meta.render.links import Links
from otel_meta.render.rules.rule import Record

from .finding import Finding, Problem
from .known_series import Recorded, World
from .promql.expressions import NotPromQL, parse
from .promql.infer import Inference
from .promql.shape import BARE
from .rule_files import Rule, files_in, read
from .templates import problems_of


@dataclass(frozen=True)
class Checked:
    """What was read, and what is wrong with it."""

    files: int
    rules: int
    findings: tuple[Finding, ...]


def check(catalog: Catalog, paths: Iterable[Path]) -> Checked:
    """Check files, and folders of files, together: what one records another may read.

    Raises:
        UsageError: a path leads nowhere.
    """
    files = list(dict.fromkeys(file for path in paths for file in files_in(path)))
    found = [each for file in files for each in read(file)]
    rules = [each for each in found if isinstance(each, Rule)]
    unread = [each for each in found if isinstance(each, Finding)]
    return Checked(len(files), len(rules), (*unread, *findings_of(rules, world_of(catalog, rules))))


def world_of(catalog: Catalog, rules: Iterable[Rule]) -> World:
    """Every series that is declared, recorded by these rules, or by those that are generated."""
    generated = (
        (rule.record, rule.expr, rule.labels)
        for file in rule_files(catalog, Links())
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, Record)
    )
    given = ((rule.record, rule.expr, rule.labels) for rule in rules if rule.record)
    # What is generated and committed is there twice.
    recorded = {
        (name, expr, *sorted(labels.items())): (name, expr, labels)
        for name, expr, labels in (*generated, *given)
    }
    return World(catalog, _parsed(recorded.values()))


def findings_of(rules: Iterable[Rule], world: World) -> Iterator[Finding]:
    """What is wrong with rules, each thing once a rule."""
    for rule in rules:
        yield from (rule.finding(problem) for problem in dict.fromkeys(_problems(rule, world)))


def _problems(rule: Rule, world: World) -> list[Problem]:
    problems: list[Problem] = []
    try:
        vector = Inference(world, problems.append).vector(parse(rule.expr)) or (BARE,)
    except NotPromQL as error:
        return [Problem("expression", f"its expression is no PromQL: {error}")]
    except RecursionError:
        return [Problem("expression", "its expression is nested too deeply to be read")]
    return [*problems, *problems_of(rule, vector)] if rule.alert else problems


def _parsed(recorded: Iterable[tuple[str, str, Mapping[str, str]]]) -> Iterator[Recorded]:
    for name, expr, labels in recorded:
        try:
            yield Recorded(name, parse(expr), labels)
        except NotPromQL:  # which is reported where the rule is checked
            yield Recorded(name, None, labels)
