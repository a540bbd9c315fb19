"""The server that commands ask: options, variables and the project's table; the page about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otel_meta.cli.project.asked_server import NO_SERVER, has_server, server_connection
from otel_meta.cli.project.config_rows import ROWS, SERVER, Row
from otel_meta.cli.project.project import Project, load_project
from otel_meta.errors import UsageError
from tests.cli.conftest import Command, clean_environment

PAGE = Path(__file__).parents[3] / "docs" / "command-line.md"
HEAD = ["| option | variable | key | default | meaning |", "|---|---|---|---|---|"]
SERVER_ROWS = [row for row in ROWS if row.panel == SERVER]


def project(folder: Path, table: str, **given: Any) -> Project:
    """Return a project with lines of its table, and values of options as typed."""
    path = folder / "pyproject.toml"
    path.write_text(f"[tool.otel_meta.server]\n{table}")
    return load_project(path, {f"server.{key}": text for key, text in given.items()})


def line(row: Row) -> str:
    """Return the line of a row on the page."""
    variable = f"`{row.variable}`" if row.variable else ""
    key = "" if row.key in {"server.token", "server.password"} else f"`{row.key}`"
    cells = (f"`{row.option} {row.metavar}`", variable, key, row.default, row.meaning)
    return f"| {' | '.join(cells)} |"


class TestConnection:
    def test_every_value_of_the_table_is_used(self, tmp_path: Path) -> None:
        """Each key of the table reaches the connection; a file is found beside the table."""
        (tmp_path / "ca.pem").write_text("")
        table = 'url = "http://x/"\nuser = "me"\ntenant = "shop"\ntimeout = 3\n'
        found = server_connection(project(tmp_path, table + 'headers = { X-Team = "a" }\n'))

        assert ("http://x", ("me", ""), 3.0) == (found.url, found.user, found.timeout)
        assert {"X-Scope-OrgID": "shop", "X-Team": "a"}.items() <= found.request_headers.items()
        with pytest.raises(UsageError, match=f"{tmp_path}/ca.pem"):
            server_connection(project(tmp_path, table + 'ca_file = "ca.pem"\n'))

    def test_option_wins_over_the_table(self, tmp_path: Path) -> None:
        """An option wins over the table; headers win name by name."""
        found = server_connection(
            project(
                tmp_path,
                'url = "http://x"\nheaders = { A = "1", B = "2" }\n',
                url="http://y",
                headers=["B=3"],
                token="secret",
            )
        )

        assert ("http://y", {"A": "1", "B": "3"}) == (found.url, found.headers)
        assert "Bearer secret" == found.request_headers["Authorization"]

    def test_variable_wins_over_the_table(self, otel_meta: Command, tmp_path: Path) -> None:
        """A variable wins over the table, and an option over the variable."""
        table = '[tool.otel_meta.server]\nurl = "http://127.0.0.1:1"\n'
        (tmp_path / "pyproject.toml").write_text(table)
        added = {"OTEL_META_SERVER_URL": "http://127.0.0.1:2"}
        environment = {**clean_environment(), **added}

        for number, options in ((1, {}), (2, {"env": environment})):
            assert f"http://127.0.0.1:{number}" in otel_meta("slo", **options).stderr
        typed = otel_meta("slo", "--prometheus", "http://127.0.0.1:3", env=environment)
        assert "http://127.0.0.1:3" in typed.stderr

    def test_without_server_the_error_names_every_way(self, tmp_path: Path) -> None:
        """Without a server, the error names the option, the variable and the key."""
        without = project(tmp_path, "")

        assert not has_server(without)
        with pytest.raises(UsageError) as error:
            server_connection(without)
        assert NO_SERVER == str(error.value)

    @pytest.mark.parametrize(
        ("table", "problem"),
        [
            ('token = "x"', "is a secret"),
            ('password = "x"', "is a secret"),
            ('headers = { Authorization = "x" }', "holds a secret"),
            ('headers = { Cookie = "x" }', "holds a secret"),
            ('url = "http://me:pw@x"', "give the user and the password apart"),
            ("timeout = 0", "is not a number of seconds above 0"),
            ("timeout = true", "is not a number of seconds above 0"),
            ("timeout = -3", "is not a number of seconds above 0"),
            ('headers = { "a b" = "x" }', "is not the name of a header"),
            ('tennant = "x"', "did you mean 'tenant'?"),
        ],
    )
    def test_secret_or_wrong_value_is_refused_in_the_file(
        self, table: str, problem: str, tmp_path: Path
    ) -> None:
        """A secret in the file, or a wrong value, is refused without showing the secret."""
        with pytest.raises(UsageError, match=problem.replace("?", r"\?")) as error:
            project(tmp_path, f"{table}\n")
        assert "pw" not in str(error.value).replace("password", "")


class TestPage:
    def test_page_has_a_line_of_every_option_of_the_server(self) -> None:
        """The page has the line of every option of the server, in the order of the table."""
        table = PAGE.read_text().partition("<!-- server -->\n")[2].partition("\n<!-- end -->")[0]

        assert "\n".join([*HEAD, *map(line, SERVER_ROWS)]) == table
