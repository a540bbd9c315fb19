"""Options that take several values, as in ``--rules first.yml second.yml``.

The parser of Typer knows options of one value, which may be repeated. The values of a pattern of
the shell, such as ``rules/*.yml``, follow one option.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

SEVERAL: Final = "..."
"""Ends the metavar of an option that takes several values."""


def spread(arguments: Sequence[str], parameters: Iterable[Any]) -> Iterator[str]:
    """Yield the arguments with the option before each of its values."""
    several = {
        name
        for parameter in parameters
        if (parameter.metavar or "").endswith(SEVERAL) and parameter.param_type_name == "option"
        for name in parameter.opts
    }
    option, has_value = "", False
    for position, word in enumerate(arguments):
        if word == "--":
            yield from arguments[position:]
            return
        if word.startswith("-"):
            name, equals, _ = word.partition("=")
            option, has_value = (name if name in several else ""), bool(equals)
        elif option and has_value:
            yield option
        else:
            has_value = True
        yield word
