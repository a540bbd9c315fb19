"""The one line about arguments that the parser refuses."""

from __future__ import annotations

from typing import Any

from typer import BadParameter
from typer.exceptions import TyperException

_OF_PYDANTIC = "Value error, "
"""Stands before the text of an error in a parser of values."""


def usage_problem(error: TyperException) -> str:
    """Return the problem with the nearest name, and the command whose help has the right form."""
    context: Any = getattr(error, "ctx", None)
    if context is None:
        return error.message
    path = context.command_path
    return f"{path.partition(' ')[2]}: {_problem(error, context)}; see {path} -h".lstrip(": ")


def _problem(error: TyperException, context: Any) -> str:
    from otel_meta.model.arguments import did_you_mean  # noqa: PLC0415 - for a mistake only

    option = getattr(error, "option_name", None)
    known = [name for param in context.command.get_params(context) for name in param.opts]
    if option and option not in known:
        return f"there is no option {option}{did_you_mean(option, known)}"
    if isinstance(error, BadParameter) and error.param is not None:
        return f"{_name(error.param)}: {error.message.removeprefix(_OF_PYDANTIC) or 'is missing'}"
    return error.message.removesuffix(".")


def _name(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    return str(parameter.opts[-1] if is_option else parameter.display_name_raw)
