"""Errors of calls that declare: a call with wrong arguments is answered by the right form."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from otel_meta.errors import DeclarationError

from .arguments import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type[Any])


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
    problem = _problem_of(signature, args, options)
    if problem:
        where, form = _form_of(function, args)
        arguments = ", ".join(_arguments(signature))
        unknown = options.keys() - signature.parameters.keys()
        near = "".join(did_you_mean(name, signature.parameters) for name in sorted(unknown))
        fix = f"write it as {form}{arguments}){near}"
        raise DeclarationError(where, problem, fix) from None


def _problem_of(
    signature: inspect.Signature, args: tuple[Any, ...], options: dict[str, Any]
) -> str:
    """Return the reason for which a call does not fit a signature; empty if the call fits."""
    unknown = [name for name in options if name not in signature.parameters]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        return f"has no argument {unknown[0]!r}"
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        return str(error)
    return ""


def _form_of(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[str, str]:
    """Return the place of a call for its error, and the beginning of its right form."""
    if function.__name__ == "__init_subclass__":
        cls = args[0]
        return f"class {cls.__name__}", f"class {cls.__name__}({cls.__base__.__name__}, "
    if function.__name__ == "__init__":
        name = type(args[0]).__name__
        return f"{name} {args[1]!r}" if args[1:] and isinstance(args[1], str) else name, f"{name}("
    return f"{function.__name__}()", f"{function.__name__}("


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    """Yield the arguments of the right call, those with a default in brackets."""
    for parameter in signature.parameters.values():
        if parameter.name in {"self", "cls"}:
            continue
        by_name = parameter.kind is parameter.KEYWORD_ONLY
        text = f"{parameter.name}=..." if by_name else f"{parameter}".partition(":")[0]
        yield text if parameter.default is parameter.empty else f"[{text}]"
