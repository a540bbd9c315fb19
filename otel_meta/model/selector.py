"""Selectors: series of a metric, selected by label values, as in PromQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Self

from otel_meta.errors import DeclarationError

from .arguments import did_you_mean, expect_type
from .declared_call import declaring
from .instrument import Instrument
from .labels import Label


class Presence(Enum):
    """Any value of a label, but not an empty value."""

    PRESENT = "present"

    def __repr__(self) -> str:
        return self.name


PRESENT: Final = Presence.PRESENT
"""Matches series with the label, whatever the value: ``where(error_type=PRESENT)``."""

_GIVE_A_METRIC: Final = (
    "give the metric itself, such as orders, or selected series, such as "
    'orders.where(outcome="failed")'
)

_MAX_SHOWN: Final = 20
"""Label values in an error: a status code of HTTP has 500."""

MatcherValue = str | tuple[str, ...] | Presence
"""One value, several values, or any value."""


@dataclass(frozen=True)
class Matcher:
    """A condition on the value of one label."""

    label: str
    values: tuple[str, ...] | Presence

    def __repr__(self) -> str:
        match self.values:
            case (value,):
                return f"{self.label}={value!r}"
            case values:
                return f"{self.label}={values!r}"

    def includes(self, other: Matcher) -> bool:
        """Return True if every series that another matcher matches is matched by this as well."""
        if self.label != other.label:
            return False
        if isinstance(other.values, Presence):
            return isinstance(self.values, Presence)
        return all(map(self.matches, other.values))

    def matches(self, value: str) -> bool:
        """Return True if a label value fulfils the condition."""
        return bool(value) if isinstance(self.values, Presence) else value in self.values


@dataclass(frozen=True, eq=False)
class Selector:
    """The series of an instrument that fulfil every matcher."""

    instrument: Instrument[...]
    matchers: tuple[Matcher, ...] = ()

    def __repr__(self) -> str:
        if not self.matchers:
            return f"Selector({self.instrument!r})"
        return f"{self.instrument!r}.where({', '.join(map(repr, self.matchers))})"

    def __post_init__(self) -> None:
        expect_type("selector", "metric", self.instrument, Instrument, _GIVE_A_METRIC)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Selector):
            return NotImplemented
        return (self.instrument, self.matchers) == (other.instrument, other.matchers)

    def __hash__(self) -> int:
        return hash((self.instrument, self.matchers))

    @declaring
    def where(self, **labels: MatcherValue) -> Self:
        """Add matchers, as `Counter.where` does.

        Raises:
            DeclarationError: the instrument has no such label, or the label never has such a
                value.
        """
        return replace(self, matchers=(*self.matchers, *self._matchers(labels)))

    def includes(self, other: Selector) -> bool:
        """Return True if this selects every series that another selector of the metric selects."""
        return all(
            any(matcher.includes(narrower) for narrower in other.matchers)
            for matcher in self.matchers
        )

    def predicate(self) -> Callable[[tuple[str, ...]], bool]:
        """Return a predicate on label values in declared order, for counting in the process."""
        positions = {label.name: index for index, label in enumerate(self.instrument.label_fields)}
        matchers = [(positions[matcher.label], matcher) for matcher in self.matchers]
        return lambda values: all(matcher.matches(values[index]) for index, matcher in matchers)

    def _matchers(self, labels: Mapping[str, MatcherValue]) -> Iterable[Matcher]:
        fields = {label.name: label for label in self.instrument.label_fields}
        for name, value in labels.items():
            if name not in fields:
                raise DeclarationError(
                    f"metric {self.instrument.name!r}",
                    f"has no label {name!r}",
                    f"choose from {sorted(fields)}{did_you_mean(name, fields)}"
                    if fields
                    else "it has no labels",
                )
            yield Matcher(name, self._checked(fields[name], value))

    def _checked(self, label: Label, value: MatcherValue) -> tuple[str, ...] | Presence:
        if isinstance(value, Presence):
            return value
        values = tuple(value) if isinstance(value, tuple | list | set | frozenset) else (value,)
        unknown = [v for v in values if not label.accepts(v)]
        if unknown or not values:
            raise DeclarationError(
                f"metric {self.instrument.name!r}",
                f"label {label.name!r} never is {', '.join(map(repr, unknown)) or 'nothing'}",
                _values_of(label, unknown),
            )
        return values


def _values_of(label: Label, unknown: Iterable[object]) -> str:
    """Return the values of a label, for the error of a matcher."""
    if label.values is None:
        return "label values are strings in quotes"
    near = "".join(did_you_mean(value, label.values) for value in unknown)
    shown, more = label.values[:_MAX_SHOWN], len(label.values) - _MAX_SHOWN
    others = f" and {more} more" if more > 0 else ""
    return f"choose from {list(shown)}{others}{near}"


Selectable = Instrument[...] | Selector
"""All series of an instrument, or a selection of them."""


def as_selector(series: object) -> Selector:
    """Return a selector of all series of an instrument; return a `Selector` unchanged.

    Raises:
        DeclarationError: the value is no declared metric.
    """
    if isinstance(series, Selector):
        return series
    if isinstance(series, Instrument):
        return Selector(series)
    raise DeclarationError(f"{series!r}", "is not a declared metric", _GIVE_A_METRIC)
