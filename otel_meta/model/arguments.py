"""Checks of the arguments of declarations: each error has the value, the fix and the nearest name.

A type checker finds most of these mistakes. The checks are for declarations that no type checker
has seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from numbers import Real
from typing import Any, Final, TypeGuard, TypeVar

from otel_meta.errors import DeclarationError

T = TypeVar("T")

_CLOSE_ENOUGH: Final = 0.6
_LETTERS_OF_A_WORD: Final = 2
_ENDS: Final = (".", "!", "?", "。", "…", '."', ".)", "```")
"""Ends of a sentence or of a block of code, after which no full stop is added."""

_DECIMAL: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,20})?")
_DASHED: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def nearest_name(wrong: str, names: Iterable[str]) -> str:
    """Return the name most similar to a wrong name; empty if no name is similar."""
    by_lower_case = {name.lower(): name for name in sorted(names)}
    found = get_close_matches(wrong.lower(), by_lower_case, n=1, cutoff=_CLOSE_ENOUGH)
    return by_lower_case[found[0]] if found else ""


def did_you_mean(wrong: object, names: Iterable[str]) -> str:
    """Return "; did you mean ...?" with the nearest name; empty if no name is similar."""
    near = nearest_name(str(wrong), names)
    return f"; did you mean {near!r}?" if near else ""


def expect_choice(
    where: str,
    argument: str,
    value: object,
    choices: Iterable[str],
    synonyms: Mapping[str, str] | None = None,
) -> None:
    """Refuse a value outside a closed set.

    Args:
        where: the declaration.
        argument: the name of the argument, for the error.
        value: the given value.
        choices: the closed set.
        synonyms: the words of other tools, each with the choice of the same meaning.

    Raises:
        DeclarationError: the value is not one of the choices.
    """
    known = tuple(choices)
    if isinstance(value, str) and value in known:
        return
    words = synonyms or {}
    meant = words.get(str(value).lower()) or words.get(nearest_name(str(value), words), "")
    near = nearest_name(str(value), known) or meant
    meanings = "".join(f"; {word!r} elsewhere is {choice!r}" for word, choice in words.items())
    suggestion = f"; did you mean {near!r}?" if near else ""
    raise DeclarationError(
        where,
        f"has the {argument} {value!r}",
        f"choose one of {', '.join(map(repr, known))}{meanings}{suggestion}",
    )


def expect_type(
    where: str, argument: str, value: object, kind: type[T] | tuple[type[T], ...], fix: str
) -> None:
    """Refuse a value of another type; True and False are no numbers.

    Raises:
        DeclarationError: the value has another type.
    """
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DeclarationError(where, f"has the {argument} {value!r}", fix)


def is_number(value: object) -> TypeGuard[float]:
    """Return True for a finite number; True and False are no numbers."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of floats
        return False


def expect_number(where: str, argument: str, value: object) -> None:
    """Refuse a value that is no finite number.

    Raises:
        DeclarationError: the value is no number, or not finite.
    """
    if not is_number(value):
        fix = "give a finite number, without quotes"
        raise DeclarationError(where, f"has the {argument} {value!r}", fix)


def expect_count(where: str, argument: str, value: object, least: int) -> None:
    """Refuse a value that is no whole number, or is below the least.

    Raises:
        DeclarationError: the value is no such number.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        fix = f"give a whole number of at least {least}"
        raise DeclarationError(where, f"has the {argument} {value!r}", fix)


def sentence(
    where: str, argument: str, text: object, about: str, *, keep_lines: bool = False
) -> str:
    """Return the text of a sentence on one line, with a full stop.

    Args:
        where: the declaration.
        argument: the name of the argument, for the error.
        text: the given text.
        about: the subject of the sentence, for the error.
        keep_lines: keep the lines of the text, such as those of a list in Markdown.

    Raises:
        DeclarationError: the text is no string, or has no word.
    """
    fix = f"describe in one sentence {about}"
    expect_type(where, argument, text, str, fix)
    line = str(text).strip() if keep_lines else " ".join(str(text).split())
    if sum(map(str.isalpha, line)) < _LETTERS_OF_A_WORD:
        problem = f"has the {argument} {text!r}" if line else f"has an empty {argument}"
        raise DeclarationError(where, problem, fix)
    return line if line.endswith(_ENDS) else f"{line}."


def optional_steps(where: str, text: str) -> str:
    """Return the first steps of a diagnosis in Markdown, which keep their lines; "" for none.

    Raises:
        DeclarationError: the text is no string, or has no word.
    """
    return text and sentence(where, "first_steps", text, "the diagnosis", keep_lines=True)


def members_of(collection: object) -> list[object]:
    """Return the members of a collection, or the values of a mapping; none of a text."""
    held: Any = collection
    if isinstance(collection, Mapping):
        return list(held.values())
    is_collection = isinstance(collection, Iterable) and not isinstance(collection, str)
    return list(held) if is_collection else []


def full_match(form: re.Pattern[str], value: object) -> re.Match[str] | None:
    """Return the match of a whole text; None for another text, and for a value of another type."""
    return form.fullmatch(value) if isinstance(value, str) else None


def check_dashed_name(kind: str, name: object) -> None:
    """Refuse a name that is not lower-case words joined by dashes.

    Raises:
        DeclarationError: the name has another form; the error has the nearest valid name.
    """
    if full_match(_DASHED, name):
        return
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", str(name)).lower()
    dashed = re.sub("[^a-z0-9]+", "-", snake).strip("-")
    suggestion = f"; did you mean {dashed!r}?" if _DASHED.fullmatch(dashed) else ""
    fix = f"use lower-case words joined by dashes{suggestion}"
    raise DeclarationError(f"{kind} {name!r}", "is not a name", fix)


@contextmanager
def declared_in(where: str) -> Generator[None]:
    """Name the declaration in the errors of a part of the declaration, such as an objective."""
    try:
        yield
    except DeclarationError as error:
        place = error.where if error.where.startswith(where) else f"{where}, {error.where}"
        raise DeclarationError(place, error.problem, error.fix) from None


def exact_fraction(value: object) -> Fraction | None:
    """Return a decimal number as an exact fraction, 0.1 as one tenth; None for another value."""
    form = _DECIMAL.fullmatch(str(value).strip())
    return None if form is None else Fraction(form[0])


def set_fields(value: object, /, **fields: object) -> None:
    """Set fields of a frozen dataclass to converted arguments. Only for use in its ``__init__``."""
    for name, content in fields.items():
        object.__setattr__(value, name, content)
