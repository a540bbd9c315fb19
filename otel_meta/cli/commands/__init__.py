"""The table of commands.

To add the command ``NAME``: add a row here, and the module ``NAME_command.py`` with the function
``NAME``. Typer makes the options from its parameters; the docstring is its help. The function
returns a `Result`, and raises `UsageError` or `BackendError`. The decorator `with_project` gives it
the project and the options that choose the catalogue. Costly packages are imported in the function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Row(NamedTuple):
    """A command: its line in the help of the program, and the panel with the line."""

    summary: str
    panel: str


_DECLARE: Final = "Declare"
_GENERATE: Final = "Generate"
_TRY: Final = "Try"

COMMANDS: Final[Mapping[str, Row]] = {
    "show": Row("Show meta-repositories, metrics and SLOs.", _DECLARE),
    "check": Row("Check the catalogue, and rules against it.", _DECLARE),
    "generate": Row("Write rules, dashboards, runbooks and the rest.", _GENERATE),
    "backfill": Row("Write the past of new SLOs as blocks of Prometheus.", _GENERATE),
    "demo": Row("Run two services under traffic, with a fault for a while.", _TRY),
}
"""Every command, in the order of the help."""
