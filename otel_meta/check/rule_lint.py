"""Lint rule files against a catalogue: every name exists, and every join can match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from otel_meta.model import Catalog
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules.rule import Record

from .finding import Diagnostic, Finding
from .known_series import KnownSeries, RecordedSeries
from .promql.expressions import NotPromQL, parse
from .promql.infer import Inference
from .promql.series_type import UNLABELED
from .rule_files import Rule, files_in, read_rules
from .templates import template_diagnostics


@dataclass(frozen=True)
class CheckResult:
    """The number of files and rules read, and the findings."""

    files: int
    rules: int
    findings: tuple[Finding, ...]


def check(catalog: Catalog, paths: Iterable[Path]) -> CheckResult:
    """Check files and folders together, since the rules of a file may read another file's series.

    Raises:
        UsageError: a path does not exist.
    """
    files = list(dict.fromkeys(file for path in paths for file in files_in(path)))
    found = [item for file in files for item in read_rules(file)]
    rules = [item for item in found if isinstance(item, Rule)]
    unread = [item for item in found if isinstance(item, Finding)]
    return CheckResult(
        len(files), len(rules), (*unread, *findings_of(rules, known_series_of(catalog, rules)))
    )


def known_series_of(catalog: Catalog, rules: Iterable[Rule]) -> KnownSeries:
    """Return every series that is declared, or recorded by these or by the generated rules."""
    generated = (
        (rule.record, rule.expr, rule.labels)
        for file in rule_files(catalog, Options())
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, Record)
    )
    given = ((rule.record, rule.expr, rule.labels) for rule in rules if rule.record)
    # Rules that are generated and also given would otherwise occur twice.
    recorded = {
        (name, expr, *sorted(labels.items())): (name, expr, labels)
        for name, expr, labels in (*generated, *given)
    }
    return KnownSeries(catalog, _parsed(recorded.values()))


def findings_of(rules: Iterable[Rule], known: KnownSeries) -> Iterator[Finding]:
    """Yield the findings of rules, without repetition within a rule."""
    for rule in rules:
        yield from (
            rule.finding(diagnostic) for diagnostic in dict.fromkeys(_diagnostics(rule, known))
        )


def _diagnostics(rule: Rule, known: KnownSeries) -> list[Diagnostic]:
    diagnostics: list[Diagnostic] = []
    try:
        vector = Inference(known, diagnostics.append).vector(parse(rule.expr)) or (UNLABELED,)
    except NotPromQL as error:
        return [Diagnostic("expression", f"its expression is not PromQL: {error}")]
    except RecursionError:
        return [Diagnostic("expression", "its expression is nested too deeply to be read")]
    return [*diagnostics, *template_diagnostics(rule, vector)] if rule.alert else diagnostics


def _parsed(recorded: Iterable[tuple[str, str, Mapping[str, str]]]) -> Iterator[RecordedSeries]:
    for name, expr, labels in recorded:
        try:
            yield RecordedSeries(name, parse(expr), labels)
        except NotPromQL:  # the check of this rule reports it
            yield RecordedSeries(name, None, labels)
