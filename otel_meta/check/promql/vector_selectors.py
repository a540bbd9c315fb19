"""Checks of vector selectors: names, labels and values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import reduce
from typing import Final, NamedTuple, Protocol

from promql_parser import Matcher, VectorSelector

from otel_meta.check.finding import Diagnostic
from otel_meta.model.arguments import nearest_name

from . import patterns
from .label_checks import unknown_labels
from .series_type import NAME, UNKNOWN, SeriesType, Vector, label_values, vector_of
from .values import ANY, Values, one_of

_WORD: Final = re.compile("[:_]")
_ALIKE: Final = 0.75
"""Likeness of the first words of a wrong name and of its suggestion, at least."""


class SeriesLookup(Protocol):
    """Every series, by name."""

    def find(self, name: str) -> Vector | None:
        """Return the types of the series of a name; None if no such series is known."""
        ...

    def names(self) -> Iterable[str]:
        """Return the names of all series, as candidates for suggestions."""
        ...


Report = Callable[[Diagnostic], None]


class _Operator(NamedTuple):
    """The meaning of a matcher's operator."""

    parts: Callable[[str], list[str]]
    """Splits the matcher's value into parts, each of which some series should have."""
    test: Callable[[str], Callable[[str], bool]]
    """Returns a test that is true if a label value matches a part."""
    wanted: bool
    """True if the operator selects matching values, False for excluding operators."""
    through: Callable[[str], Values]
    """The selected values, for labels whose values cannot be listed."""


def _itself(text: str) -> list[str]:
    return [text]


def _equal(text: str) -> Callable[[str], bool]:
    return lambda value: value == text


def _only(text: str) -> Values:
    return one_of([text])


def _all_but(text: str) -> Values:
    return ~one_of([text])


_OPERATORS: Final[Mapping[str, _Operator]] = {
    "MatchOp.Equal": _Operator(_itself, _equal, True, _only),
    "MatchOp.NotEqual": _Operator(_itself, _equal, False, _all_but),
    "MatchOp.Re": _Operator(patterns.alternatives, patterns.matcher, True, patterns.matched_values),
    "MatchOp.NotRe": _Operator(
        patterns.alternatives, patterns.matcher, False, patterns.excluded_values
    ),
}
"""Operators by their text, since the parser's operators cannot be dictionary keys."""


def select(selector: VectorSelector, known: SeriesLookup, report: Report) -> Vector:
    """Return the series types of a selector; report unknown names, labels and values."""
    # VictoriaMetrics joins groups of matchers with "or"; Prometheus has a single group.
    groups = selector.matchers.or_matchers or [selector.matchers.matchers]
    return vector_of(
        series for group in groups for series in _chosen(selector.name, group, known, report)
    )


def _chosen(
    name: str | None, group: Sequence[Matcher], known: SeriesLookup, report: Report
) -> Vector:
    found = _by_name(name, [m for m in group if m.name == NAME], known, report)
    called = name or "the series"
    correct: list[Matcher] = []
    corrected: dict[str, Values] = {}
    for matcher in (m for m in group if m.name != NAME):
        diagnostics = list(_mistakes(matcher, called, found))
        for diagnostic in diagnostics:
            report(diagnostic)
            # Any value is accepted, so that the mistake causes no further diagnostics.
            corrected[matcher.name] = ANY
        correct += [] if diagnostics else [matcher]
    narrowed = (reduce(_narrowed, correct, series.having(corrected)) for series in found)
    selected = [series for series in narrowed if series.is_possible()]
    if not selected:
        matchers = ", ".join(map(str, correct))
        report(Diagnostic("selector", f"{called} never has {matchers} at once", part=name or ""))
    return vector_of(selected)


def _by_name(
    name: str | None, matchers: Sequence[Matcher], known: SeriesLookup, report: Report
) -> Vector:
    """Return the series with the name, or with any of the names."""
    if name is not None:
        return _find(name, known, report)
    exact = [m.value for m in matchers if str(m.op) == "MatchOp.Equal"]
    if exact:
        return _find(exact[0], known, report)
    parts = [
        p for m in matchers if str(m.op) == "MatchOp.Re" for p in patterns.alternatives(m.value)
    ]
    return vector_of(series for part in parts for series in _find_all(part, known, report))


def _find(name: str, known: SeriesLookup, report: Report) -> Vector:
    found = known.find(name)
    if found is None:
        report(_unknown_series(name, known))
    return found or (UNKNOWN,)


def _find_all(pattern: str, known: SeriesLookup, report: Report) -> Vector:
    named = list(filter(patterns.matcher(pattern), known.names()))
    if not named:  # a pattern such as node_.+ has the prefix of a foreign series
        return _find(pattern, known, report)
    return vector_of(series for name in named for series in known.find(name) or ())


def _unknown_series(name: str, known: SeriesLookup) -> Diagnostic:
    near = nearest_name(name, (each for each in known.names() if _begin_alike(name, each)))
    if ":" in name:
        return Diagnostic("recording", f"no rule records {name}", near, name)
    message = f"no metric of the catalogue has a series {name}"
    hint = "" if near else "; accept a metric of another program with --metric"
    return Diagnostic("metric", f"{message}{hint}", near, name)


def _begin_alike(name: str, known: str) -> bool:
    """Return True if the first words are similar: metrics of one program begin alike."""
    first, other = (_WORD.split(text, maxsplit=1)[0] for text in (name, known))
    return SequenceMatcher(None, first, other).ratio() >= _ALIKE


def _mistakes(matcher: Matcher, called: str, found: Vector) -> Iterator[Diagnostic]:
    lacking = list(unknown_labels([matcher.name], found, called))
    yield from lacking
    possible = label_values(found, matcher.name)
    if lacking or possible.all_but:
        return
    operator = _OPERATORS[str(matcher.op)]
    for part in filter(None, operator.parts(matcher.value)):
        if not any(map(operator.test(part), possible.listed)):
            message = f'{matcher.name} of {called} is never "{part}"'
            near = nearest_name(part, filter(None, possible.listed))
            yield Diagnostic("value", message, near, part)


def _narrowed(series: SeriesType, matcher: Matcher) -> SeriesType:
    operator = _OPERATORS[str(matcher.op)]
    before = series.values(matcher.name)
    if before.all_but:
        return series.having({matcher.name: before & operator.through(matcher.value)})
    test = operator.test(matcher.value)
    kept = one_of(value for value in before.listed if test(value) == operator.wanted)
    return series.having({matcher.name: kept})
