"""Options that several commands share, in place of one parameter of a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Annotated, Any

from typer import Option
from typer.models import OptionInfo

Command = Callable[..., Any]

JsonOption = Annotated[bool, Option("--json", help="Print JSON.")]
"""The option of every command that prints data or findings."""


def option(name: str, kind: Any, info: OptionInfo, default: Any = None) -> inspect.Parameter:
    """Return an option of a set.

    Args:
        name: the name of its value.
        kind: the type of its value, such as ``str | None`` or ``list[str]``.
        info: what `typer.Option` returns.
        default: the value without the option.
    """
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
    )


def with_options(
    argument: str, options: Iterable[inspect.Parameter], build: Callable[[Mapping[str, Any]], Any]
) -> Callable[[Command], Command]:
    """Return a decorator that replaces a parameter of a command by options.

    Args:
        argument: the name of the parameter.
        options: the options.
        build: returns the argument of the command, from the values of the options by name.
    """
    added = {each.name: each for each in options}

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**values: Any) -> Any:
            own = {name: value for name, value in values.items() if name not in added}
            return command(**own, **{argument: build({name: values[name] for name in added})})

        signature = inspect.signature(command, eval_str=True)
        own = [each for each in signature.parameters.values() if each.name != argument]
        vars(run)["__signature__"] = signature.replace(parameters=[*own, *added.values()])
        return run

    return decorate
