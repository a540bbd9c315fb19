"""A selector held against the series that there are: its name, its labels and their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Final, NamedTuple, Protocol

from promql_parser import Matcher, VectorSelector

from otel_meta.check.finding import Problem, nearest

from . import patterns
from .label_checks import unknown
from .shape import NAME, UNKNOWN, Shape, Vector, values, vector_of
from .values import ANY, Values, one_of


class Known(Protocol):
    """Which series there are."""

    def find(self, name: str) -> Vector | None:
        """What is known of a series by its name; None if there is none."""
        ...

    def names(self) -> Iterable[str]:
        """Names of series, to choose the nearest from."""
        ...


Report = Callable[[Problem], None]


class _Operator(NamedTuple):
    """How a matcher reads what it is given."""

    parts: Callable[[str], list[str]]
    """What it asks for, each of which some series should have."""
    test: Callable[[str], Callable[[str], bool]]
    """Whether a value is what a part asks for."""
    wanted: bool
    """Whether such values are let through, or kept out."""
    through: Callable[[str], Values]
    """What it lets through where values cannot be listed."""


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
    "MatchOp.Re": _Operator(patterns.alternatives, patterns.matcher, True, patterns.let_through),
    "MatchOp.NotRe": _Operator(patterns.alternatives, patterns.matcher, False, patterns.kept_out),
}
"""By the operator's text, since the parser's operators cannot be keys."""


def select(selector: VectorSelector, known: Known, report: Report) -> Vector:
    """The series that a selector can give; what it asks for in vain is reported."""
    # VictoriaMetrics joins groups of matchers with or; Prometheus has one.
    groups = selector.matchers.or_matchers or [selector.matchers.matchers]
    return vector_of(
        shape for group in groups for shape in _chosen(selector.name, group, known, report)
    )


def _chosen(name: str | None, group: Sequence[Matcher], known: Known, report: Report) -> Vector:
    found = _named(name, [m for m in group if m.name == NAME], known, report)
    called = name or "the series"
    sound: list[Matcher] = []
    meant: dict[str, Values] = {}
    for matcher in (m for m in group if m.name != NAME):
        problems = list(_wrong_with(matcher, called, found))
        for problem in problems:
            report(problem)
            meant[matcher.name] = ANY  # not what it says, so that no more follows from it
        sound += [] if problems else [matcher]
    left = [s for s in (reduce(_narrowed, sound, s.having(meant)) for s in found) if s.possible()]
    if not left:
        asked = ", ".join(map(str, sound))
        report(Problem("selector", f"{called} never has {asked} at once"))
    return vector_of(left)


def _named(name: str | None, matchers: Sequence[Matcher], known: Known, report: Report) -> Vector:
    """The series that bear the name, or one of the names."""
    if name is not None:
        return _find(name, known, report)
    exact = [m.value for m in matchers if str(m.op) == "MatchOp.Equal"]
    if exact:
        return _find(exact[0], known, report)
    parts = [
        p for m in matchers if str(m.op) == "MatchOp.Re" for p in patterns.alternatives(m.value)
    ]
    return vector_of(shape for part in parts for shape in _find_all(part, known, report))


def _find(name: str, known: Known, report: Report) -> Vector:
    found = known.find(name)
    if found is None:
        report(_nobody(name, known))
    return found or (UNKNOWN,)


def _find_all(pattern: str, known: Known, report: Report) -> Vector:
    named = list(filter(patterns.matcher(pattern), known.names()))
    if not named:
        report(_nobody(pattern, known))
    return vector_of(shape for name in named for shape in known.find(name) or ())


def _nobody(name: str, known: Known) -> Problem:
    near = nearest(name, known.names())
    if ":" in name:
        return Problem("recording", f"no rule records {name}", near)
    return Problem("metric", f"no metric of the catalogue has a series {name}", near)


def _wrong_with(matcher: Matcher, called: str, found: Vector) -> Iterator[Problem]:
    lacking = list(unknown([matcher.name], found, called))
    yield from lacking
    possible = values(found, matcher.name)
    if lacking or possible.all_but:
        return
    operator = _OPERATORS[str(matcher.op)]
    for part in filter(None, operator.parts(matcher.value)):
        if not any(map(operator.test(part), possible.listed)):
            wrong = f'{matcher.name} of {called} is never "{part}"'
            yield Problem("value", wrong, nearest(part, filter(None, possible.listed)))


def _narrowed(shape: Shape, matcher: Matcher) -> Shape:
    operator = _OPERATORS[str(matcher.op)]
    before = shape.values(matcher.name)
    if before.all_but:
        return shape.having({matcher.name: before & operator.through(matcher.value)})
    test = operator.test(matcher.value)
    kept = one_of(value for value in before.listed if test(value) == operator.wanted)
    return shape.having({matcher.name: kept})
