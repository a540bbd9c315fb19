"""The group of all commands, each of which is imported when it runs."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, Final, cast

from typer import Exit, Option, Typer, echo
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from otel_meta._version import __version__
from otel_meta.errors import UsageError

from .commands import COMMANDS
from .console.help_text import captured_help
from .several_values import spread

_HELP: Final = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command whose options may take several values, as in ``--rules PATH...``."""

    def get_help(self, ctx: Any) -> str:
        """Return the help in panels."""
        return captured_help(lambda: super(Command, self).get_help(ctx))

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return _without_type_of_flags(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of the command."""
        try:
            return super().parse_args(ctx, [*spread(args, self.get_params(ctx))])
        except TyperException as error:
            vars(error)["ctx"] = ctx  # the parser omits the context of some mistakes
            raise


class CommandGroup(TyperGroup):
    """The commands of the table; the help and the completion of their names import none."""

    def get_help(self, ctx: Any) -> str:
        """Return the help in panels."""
        return captured_help(lambda: super(CommandGroup, self).get_help(ctx))

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return _without_type_of_flags(super().get_params(ctx))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base's parameter
        """Return the names, in the order of the help."""
        return [*COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002
        """Return the name and the summary of a command, for the help."""
        row = COMMANDS.get(cmd_name)
        return row and TyperCommand(cmd_name, help=row.summary, rich_help_panel=row.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Import the command of the first argument."""
        name, *rest = args
        if name in COMMANDS:
            return name, load_command(name), rest
        if ctx.resilient_parsing:  # while a shell completes a wrong name
            return None, None, rest
        from otel_meta.model.arguments import did_you_mean  # noqa: PLC0415 - for a mistake only

        near = did_you_mean(name, COMMANDS) or f"; the commands are {', '.join(COMMANDS)}"
        raise UsageError(f"there is no command {name!r}{near}")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the options before the command."""
        if not args and not ctx.resilient_parsing:
            raise UsageError(f"COMMAND is missing; the commands are {', '.join(COMMANDS)}")
        return super().parse_args(ctx, args)


def _without_type_of_flags(parameters: list[Any]) -> list[Any]:
    """Have the help show no type of an option without a value."""
    for each in parameters:
        each.metavar = "" if getattr(each, "is_flag", False) else each.metavar
    return parameters


def application() -> TyperGroup:
    """Return the group of all commands."""
    app = Typer(cls=CommandGroup, context_settings=_HELP, rich_markup_mode="rich")
    app.callback()(_options)
    return cast("TyperGroup", get_command(app))


def _version(value: bool) -> None:
    if value:
        echo(f"otel-meta {__version__}")
        raise Exit


def _options(
    *,
    version: Annotated[
        bool,
        Option("--version", help="Print the version and exit.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Metrics and SLOs declared once, and the files generated from them."""


def load_command(name: str) -> TyperCommand:
    """Import a command of the table."""
    module = import_module(f".commands.{name}_command", __package__)
    app = Typer(add_completion=False, rich_markup_mode="rich")
    app.command(name, cls=Command, epilog=_epilog(name))(getattr(module, name))
    return cast("TyperCommand", get_command(app))


def _epilog(name: str) -> str:
    examples = (f"otel-meta {example}" for example in COMMANDS[name].examples)
    return "\n".join(["Examples:", *examples])
