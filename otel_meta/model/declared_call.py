"""Errors of calls that declare: a call with wrong arguments is answered by the right form."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final, TypeVar

from otel_meta.errors import DeclarationError

from .arguments import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type[Any])

_UNEXPECTED: Final = "got an unexpected keyword argument '"


def declaring(function: F) -> F:
    """Decorate a function that declares: wrong arguments are a `DeclarationError`, not a TypeError.

    The error has the right form of the call, and the nearest name of a misspelt argument.
    """

    @wraps(function)
    def declare(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except TypeError:
            _refuse_wrong_arguments(function, args, options)
            raise

    return declare  # type: ignore[return-value]  # the same signature


def declaring_class(cls: C) -> C:
    """Decorate a class whose constructor declares, as `declaring` does a function."""
    cls.__init__ = declaring(cls.__init__)
    return cls


def _refuse_wrong_arguments(
    function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]
) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        problem = str(error)
        wrong = problem.removeprefix(_UNEXPECTED).rstrip("'") if _UNEXPECTED in problem else ""
        suggestion = did_you_mean(wrong, signature.parameters) if wrong else ""
        name, first = _name_of(function, args)
        raise DeclarationError(
            f"{name} {first!r}" if isinstance(first, str) else name,
            problem,
            f"write it as {name}({', '.join(_form(signature))}){suggestion}",
        ) from None


def _name_of(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[str, object]:
    """Return the name of the called class or function, and its first argument."""
    is_constructor = function.__name__ == "__init__"
    name = type(args[0]).__name__ if is_constructor else function.__name__
    return name, next(iter(args[1 if is_constructor else 0 :]), None)


def _form(signature: inspect.Signature) -> Iterator[str]:
    """Yield the arguments of the right call, those with a default in brackets."""
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        by_name = parameter.kind is parameter.KEYWORD_ONLY
        text = f"{parameter.name}=..." if by_name else parameter.name
        yield text if parameter.default is parameter.empty else f"[{text}]"
