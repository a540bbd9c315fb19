"""Lint rule files against a catalogue: every name exists, and every join can match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from otel_meta.model import Catalog
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules.rule import Record

from .finding import Diagnostic, Finding
from .foreign_series import ForeignSeries
from .known_series import KnownSeries, RecordedSeries
from .promql.expressions import NotPromQL, parse
from .promql.infer import Inference
from .promql.series_type import UNKNOWN, UNLABELED, Vector
from .rule_files import Rule, files_in, read_rules
from .templates import FILLED, queries, template_diagnostics

_DEFAULTS: Final = Options()
_FILLED_SELECTOR: Final = re.compile(rf"([\w:]+){FILLED}")
_FILLED_MATCHER: Final = re.compile(rf',{FILLED}(?:[!=~]+"[^"]*")?(?=[,}}])')
"""A matcher of which the label, or everything, is filled in."""


@dataclass(frozen=True)
class CheckResult:
    """The number of files and rules read, and the findings."""

    files: int
    rules: int
    findings: tuple[Finding, ...]


def check(catalog: Catalog, paths: Iterable[Path], options: Options = _DEFAULTS) -> CheckResult:
    """Check files and folders together, since the rules of a file may read another file's series.

    Args:
        catalog: the declared metrics.
        paths: files and folders.
        options: the identity of services, and foreign labels and metrics.

    Raises:
        UsageError: a path does not exist.
    """
    files = list(dict.fromkeys(file for path in paths for file in files_in(path)))
    found = [item for file in files for item in read_rules(file)]
    rules = [item for item in found if isinstance(item, Rule)]
    unread = [item for item in found if isinstance(item, Finding)]
    known = known_series_of(catalog, rules, options)
    own_texts = frozenset(options.alert_annotations.values())
    return CheckResult(len(files), len(rules), (*unread, *findings_of(rules, known, own_texts)))


def known_series_of(
    catalog: Catalog, rules: Iterable[Rule], options: Options = _DEFAULTS
) -> KnownSeries:
    """Return every series that is declared, foreign, or recorded by given or generated rules."""
    generated = (
        (rule.record, rule.expr, rule.labels)
        for file in rule_files(catalog, options)
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
    labels = (*options.identity.places, *options.foreign.labels)
    foreign = ForeignSeries(options.foreign.metrics, labels)
    native = options.native_histograms
    return KnownSeries(catalog, _parsed(recorded.values()), foreign, native=native)


def findings_of(
    rules: Iterable[Rule], known: KnownSeries, own_texts: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Yield the findings of rules, without repetition within a rule.

    Args:
        rules: the rules.
        known: the series that rules can read.
        own_texts: annotations that the project puts on every alert; an alert without one of their
            labels has a gap there.
    """
    for rule in rules:
        yield from dict.fromkeys(_findings(rule, known, own_texts))


def _findings(rule: Rule, known: KnownSeries, own_texts: frozenset[str]) -> Iterator[Finding]:
    vector, diagnostics = _inferred(rule.expr, known)
    yield from map(rule.finding, diagnostics)
    texts = (*rule.annotations.values(), *rule.labels.values()) if rule.alert else ()
    for text in (text for text in texts if text not in own_texts):
        for diagnostic in (*template_diagnostics(text, vector), *_of_queries(text, known)):
            yield rule.finding(diagnostic, text)


def _inferred(expr: str, known: KnownSeries) -> tuple[Vector, list[Diagnostic]]:
    """Return the series of an expression and its mistakes."""
    diagnostics: list[Diagnostic] = []
    try:
        found = Inference(known, diagnostics.append).vector(parse(expr))
    except NotPromQL as error:
        return (UNKNOWN,), [Diagnostic("expression", f"its expression is not PromQL: {error}")]
    except RecursionError:
        message = "its expression is nested too deeply to be read"
        return (UNKNOWN,), [Diagnostic("expression", message)]
    return found or (UNLABELED,), diagnostics


def _of_queries(text: str, known: KnownSeries) -> Iterator[Diagnostic]:
    """Yield the mistakes of the queries in a text, except of values that are filled in later."""
    for query in queries(text):
        # A value right after a name is a selector in braces; without it, the name is checked.
        spelt = _FILLED_MATCHER.sub("", _FILLED_SELECTOR.sub(r"\1", query))
        diagnostics = _inferred(spelt, known)[1]
        is_filled = FILLED in query
        for each in diagnostics:
            if not (is_filled and each.kind in {"expression", "selector", "value"}):
                message = f"the query in its text: {each.message}"
                yield replace(each, message=message)


def _parsed(recorded: Iterable[tuple[str, str, Mapping[str, str]]]) -> Iterator[RecordedSeries]:
    for name, expr, labels in recorded:
        try:
            yield RecordedSeries(name, parse(expr), labels)
        except NotPromQL:  # the check of this rule reports it
            yield RecordedSeries(name, None, labels)
