"""The table of keys in docs/project.md, against the table in the package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from otel_meta.cli.project.config_file import read_config
from otel_meta.cli.project.config_rows import ROWS, Row

PAGE = (Path(__file__).parents[3] / "docs" / "project.md").read_text()
HEAD = ["| key | value | default | meaning | option |", "|---|---|---|---|---|"]


def line(row: Row) -> str:
    """Return the line of a key."""
    option = f"`{row.option} {row.metavar}`" if row.option else ""
    cells = (f"`{row.key}`", f"`{row.kind.form}`", row.default, row.meaning, option)
    return f"| {' | '.join(cells)} |"


class TestPage:
    def test_page_has_line_of_every_key(self) -> None:
        """The page has the line of every key, in the order of the package's table."""
        table = PAGE.partition("<!-- keys -->\n")[2].partition("\n<!-- end -->")[0]

        assert "\n".join([*HEAD, *map(line, ROWS)]) == table

    def test_example_of_page_is_read_without_problem(self, tmp_path: Path) -> None:
        """The example of the page is a table without mistakes."""
        (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
        assert "tool" in tomllib.loads(example)
        path = tmp_path / "pyproject.toml"
        path.write_text(example)

        assert path == read_config(path).path
