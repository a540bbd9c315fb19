"""``otel-meta new``: a module that passes every check, and names that are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_meta.cli.new_module import NewModule
from otel_meta.errors import DeclarationError
from otel_meta.model import Catalog
from otel_meta.repos import BUILTIN

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Refused, RunCommand

ROOT = Path(__file__).parents[3]
LONGEST = "-".join(["service"] * 7)[:63].strip("-")
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,7}){0,3}", fullmatch=True)


@pytest.mark.parametrize("name", ["atlas-maps", "a1-2b", LONGEST])
def test_module_passes_check_and_generate(otel_meta: Command, tmp_path: Path, name: str) -> None:
    """The module passes check, and files are generated from it."""
    made = json.loads(otel_meta("new", name, "--json").stdout)

    checked = otel_meta("check", "--repo", made["repo"])
    generated = otel_meta("generate", "--only", "--repo", made["repo"], "--out", "deploy")

    assert [f"{name.replace('-', '_')}.py"] == made["written"]
    assert (0, "") == (checked.returncode, checked.stderr)
    assert checked.stdout.startswith("7 meta-repositories, ")
    assert (0, "") == (generated.returncode, generated.stderr)
    assert (tmp_path / "deploy" / "rules" / f"{name}.alerting.yml").is_file()


def test_module_passes_linter_and_type_checker(otel_meta: Command, tmp_path: Path) -> None:
    """The module passes ruff with every rule of this project, and mypy in strict mode."""
    for name in ("atlas-maps", LONGEST):
        assert 0 == otel_meta("new", name, "--owner", "maps").returncode
    config = f"--config={ROOT / 'pyproject.toml'}"
    for command in (
        ("ruff", "check", "--no-cache", config, "."),
        ("ruff", "format", "--no-cache", "--check", config, "."),
        ("mypy", "--strict", "--cache-dir", "types", "atlas_maps.py"),
    ):
        done = subprocess.run(
            [Path(sys.executable).with_name(command[0]), *command[1:]],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            text=True,
        )
        assert 0 == done.returncode, done.stdout + done.stderr


@settings(max_examples=50)
@given(NAMES)
def test_every_accepted_name_makes_catalogue_without_problems(name: str) -> None:
    """Every name that can be declared makes a module whose catalogue has no problems."""
    made = NewModule(name, "my-team")
    try:
        made.declare()
    except DeclarationError:
        return
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(compile(made.source, "made", "exec", dont_inherit=True), namespace)

    repo = Catalog((namespace[made.class_name],))
    assert [] == [*repo.problems()]
    assert [] == [*BUILTIN.with_repos(*repo).problems()]


def test_next_steps_name_the_module(otel_meta: Command) -> None:
    """The output names the file, and the commands to run next with the new class."""
    done = otel_meta("new", "atlas-maps")

    assert (0, "") == (done.returncode, done.stderr)
    assert "wrote atlas_maps.py" == done.stdout.splitlines()[0]
    assert "otel-meta check --repo atlas_maps:AtlasMaps\n" in done.stdout


def test_folder_of_module_is_made(otel_meta: Command, tmp_path: Path) -> None:
    """The folder of --out is made, and named in the next steps."""
    done = otel_meta("new", "atlas-maps", "--out", "lib/shop")

    assert (tmp_path / "lib/shop/atlas_maps.py").is_file()
    assert "--repo atlas_maps:AtlasMaps (in the folder lib/shop)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "new: NAME: is missing; see otel-meta new -h"),
        (["Atlas Maps"], "use lower-case words joined by dashes; did you mean 'atlas-maps'?"),
        (["1x"], "is not a name; use lower-case words joined by dashes"),
        ([""], "is not a name"),
        (["x" * 64], "has a name of 64 characters; use 63 characters at most"),
        (["total"], 'contains the word "total"'),
        (["aurora"], "is a built-in meta-repository; choose another name"),
        (["aurora-fullstack-saas"], "is a built-in meta-repository"),
        (["json"], "Python has json already; add a word, such as json-service"),
        (["class"], "Python has class already"),
        (["otel-meta"], "Python has otel_meta already"),
        (["atlas", "--owner", "The Team"], "owner 'The Team': is not a name"),
        (["atlas", "--out", ""], "--out: the name is empty"),
        (["atlas", "--out", "file"], "cannot write file/atlas.py: "),
        (["atlas", "maps"], "unexpected extra argument"),
    ],
    ids=str,
)
def test_wrong_name_is_one_line_and_no_file(
    refused: Refused, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """A wrong name or folder is one line, and no file is written."""
    (tmp_path / "file").touch()

    assert words in refused("new", *arguments)
    assert ["file"] == [path.name for path in tmp_path.rglob("*")]


def test_existing_file_is_not_overwritten(run_command: RunCommand, here: Path) -> None:
    """An existing file is not overwritten."""
    (here / "atlas.py").write_text("mine = 1\n")

    code, out, err = run_command("new", "atlas")

    assert (2, "", "otel-meta: atlas.py: exists already; choose another name, or --out DIR\n") == (
        code,
        out,
        err,
    )
    assert "mine = 1\n" == (here / "atlas.py").read_text()
