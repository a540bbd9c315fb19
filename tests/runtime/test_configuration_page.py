"""The table of variables in docs/configuration.md, against the table in the package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from otel_meta.runtime.configure_options import Options
from otel_meta.runtime.environment.value_kinds import as_text
from otel_meta.runtime.environment.variable import Variable
from otel_meta.runtime.setting_variables import VARIABLES

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
NAMES = {row.name for row in VARIABLES}


def general_name(name: str) -> str:
    """Return the name of the variable for all signals."""
    return re.sub(r"_(TRACES|METRICS|LOGS)_", "_", name, count=1)


def is_of_signal(name: str) -> bool:
    """Return True if a variable of all signals has the same meaning."""
    return general_name(name) != name and general_name(name) in NAMES


def line(row: Variable[Any]) -> str:
    """Return the line of a variable; the variables of single signals are in the same line."""
    suffix = row.name.removeprefix("OTEL_EXPORTER_OTLP_")
    has_signals = f"OTEL_EXPORTER_OTLP_LOGS_{suffix}" in NAMES
    names = f"`{row.name}`{f', `…_{{TRACES,METRICS,LOGS}}_{suffix}`' if has_signals else ''}"
    default = row.default_text or f"`{as_text(row.default)}`"
    return f"| {names} | {row.kind.expected} | {default} | {row.effect} |"


class TestPage:
    def test_page_has_line_of_every_variable(self) -> None:
        """The page has the line of every variable, in the order of the package's table."""
        expected = [line(row) for row in VARIABLES if not is_of_signal(row.name)]
        table = PAGE.partition("<!-- variables -->\n")[2].partition("\n<!-- end -->")[0]

        assert "\n".join(expected) == "\n".join(table.splitlines()[2:])

    def test_page_names_every_option(self) -> None:
        """The page names every option of `configure`."""
        assert set() == {name for name in Options.__annotations__ if f"`{name}" not in PAGE}
