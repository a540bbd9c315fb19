"""Sets of label values, finite or complements of finite sets; "" stands for an absent label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Values:
    """A finite set of label values, or the complement of a finite set; closed under ``& | ~``."""

    listed: frozenset[str]
    all_but: bool = False

    def __contains__(self, value: str) -> bool:
        return (value in self.listed) != self.all_but

    def __bool__(self) -> bool:
        return self.all_but or bool(self.listed)

    def __invert__(self) -> Values:
        return Values(self.listed, not self.all_but)

    def __and__(self, other: Values) -> Values:
        if self.all_but and other.all_but:
            return Values(self.listed | other.listed, all_but=True)
        if self.all_but:
            return Values(other.listed - self.listed)
        return Values(frozenset(filter(other.__contains__, self.listed)))

    def __or__(self, other: Values) -> Values:
        return ~(~self & ~other)

    def __str__(self) -> str:
        if self.all_but:
            return "present" if "" in self.listed else "anything"
        return " or ".join(f'"{value}"' if value else "absent" for value in sorted(self.listed))


def one_of(values: Iterable[str]) -> Values:
    """Return the set of these values."""
    return Values(frozenset(values))


ABSENT: Final = one_of([""])
PRESENT: Final = ~ABSENT
ANY: Final = ~one_of([])
