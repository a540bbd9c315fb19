"""Part of a metric's series, chosen by label values: which requests failed, which are slow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from otel_meta.errors import DeclarationError

from .instrument import Instrument
from .labels import Label


class Presence(Enum):
    """Asks for a label whatever its value."""

    PRESENT = "present"

    def __repr__(self) -> str:
        return self.name


PRESENT: Final = Presence.PRESENT
"""The label is there, with any value: ``where(error_type=PRESENT)``."""

Wanted = str | tuple[str, ...] | Presence
"""One value, one of several, or any at all."""


@dataclass(frozen=True)
class Matcher:
    """What one label has to be."""

    label: str
    wanted: tuple[str, ...] | Presence

    def __repr__(self) -> str:
        match self.wanted:
            case (value,):
                return f"{self.label}={value!r}"
            case wanted:
                return f"{self.label}={wanted!r}"

    def matches(self, value: str) -> bool:
        """Whether a series with this label value is meant."""
        return bool(value) if isinstance(self.wanted, Presence) else value in self.wanted


@dataclass(frozen=True)
class Selector:
    """The series of an instrument for which every condition holds."""

    instrument: Instrument[...]
    matchers: tuple[Matcher, ...] = ()

    def __repr__(self) -> str:
        if not self.matchers:
            return f"Selector({self.instrument!r})"
        return f"{self.instrument!r}.where({', '.join(map(repr, self.matchers))})"

    def where(self, **wanted: Wanted) -> Selector:
        """Narrow the match further.

        Raises:
            DeclarationError: the instrument has no such label, or the label no such value.
        """
        return Selector(self.instrument, (*self.matchers, *self._matchers(wanted.items())))

    def predicate(self) -> Callable[[tuple[str, ...]], bool]:
        """A test of label values in declared order, for counting in the process."""
        positions = {label.name: at for at, label in enumerate(self.instrument.label_fields)}
        checks = [(positions[c.label], c) for c in self.matchers]
        return lambda values: all(c.matches(values[at]) for at, c in checks)

    def _matchers(self, wanted: Iterable[tuple[str, Wanted]]) -> Iterable[Matcher]:
        fields = {label.name: label for label in self.instrument.label_fields}
        for name, value in wanted:
            if name not in fields:
                raise DeclarationError(
                    f"metric {self.instrument.name!r}",
                    f"has no label {name!r}",
                    f"choose from {sorted(fields)}" if fields else "it has no labels",
                )
            yield Matcher(name, self._checked(fields[name], value))

    def _checked(self, label: Label, value: Wanted) -> tuple[str, ...] | Presence:
        if isinstance(value, Presence):
            return value
        values = value if isinstance(value, tuple) else (value,)
        unknown = [v for v in values if not label.can_be(v)]
        if unknown or not values:
            raise DeclarationError(
                f"metric {self.instrument.name!r}",
                f"label {label.name!r} never is {', '.join(map(repr, unknown)) or 'nothing'}",
                f"choose from {list(label.values or ())}",
            )
        return values


Source = Instrument[...] | Selector
"""All series of an instrument, or some of them."""


def as_selector(part: Source) -> Selector:
    """All series of an instrument, or the match as it is."""
    return part if isinstance(part, Selector) else Selector(part)
