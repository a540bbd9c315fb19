"""Which catalogue a command reads."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_meta import Catalog, DeclarationError, MetaRepo
from otel_meta.cli.catalog_loader import add_catalog_options, load_catalog, load_repo
from otel_meta.errors import UsageError
from otel_meta.repos import BUILTIN, Titan

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Refused, Write

ATLAS = """\
from otel_meta import Counter, MetaRepo, NoLabels
class Atlas(MetaRepo, name="atlas", owner="maps"):
    '''Maps.'''
    views = Counter("atlas.views", "Views.", NoLabels)
class Globe(MetaRepo, name="globe", owner="maps"):
    '''The whole of it.'''
class Legend:
    '''No meta-repository.'''
scale = 5
"""


def catalog(*arguments: str) -> Catalog:
    """The catalogue that these options ask for."""
    parser = ArgumentParser()
    add_catalog_options(parser)
    return load_catalog(parser.parse_args(arguments))


def install(folder: Path, *entries: str) -> None:
    """Make a distribution in a folder that names these entry points."""
    made = folder / "maps-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: maps\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text("\n".join(["[otel_meta.repos]", *entries]))


@pytest.mark.usefixtures("here")
class TestCatalog:
    def test_built_in(self) -> None:
        """Without options, it is the six."""
        assert BUILTIN == catalog()
        assert 6 == len(BUILTIN)

    def test_repo(self, write: Write) -> None:
        """What is named comes after the six, in the order of naming."""
        write("atlas", ATLAS)

        found = catalog("--repo", "atlas:Globe", "--repo", "atlas:Atlas")

        assert ["globe", "atlas"] == [repo.name for repo in found.repos[6:]]
        assert BUILTIN.repos == found.repos[:6]

    def test_twice(self, write: Write) -> None:
        """What is named twice, or built in, is there once."""
        write("atlas", ATLAS)

        found = catalog("--repo=atlas:Atlas", "--repo=atlas:Atlas", "--repo=otel_meta.repos:Titan")

        assert [*BUILTIN, load_repo("atlas:Atlas")] == list(found)

    def test_only(self, write: Write) -> None:
        """The six can be left out."""
        write("atlas", ATLAS)

        assert ["atlas"] == [repo.name for repo in catalog("--only", "--repo=atlas:Atlas")]
        assert [Titan] == list(catalog("--only", "--repo=otel_meta.repos:Titan"))

    def test_nothing(self) -> None:
        """A catalogue with nothing in it is nobody's wish."""
        with pytest.raises(UsageError, match="--only leaves nothing; name a meta-repository"):
            catalog("--only")


@pytest.mark.usefixtures("here")
class TestLoad:
    def test_class(self, write: Write) -> None:
        """The working directory is importable."""
        write("atlas", ATLAS)

        found = load_repo("atlas:Atlas")

        assert issubclass(found, MetaRepo)
        assert "atlas" == found.name

    def test_package(self, here: Path) -> None:
        """A module inside a package is found by its dotted name."""
        (here / "acme").mkdir()
        (here / "acme" / "atlas.py").write_text(ATLAS)

        assert "globe" == load_repo("acme.atlas:Globe").name

    @pytest.mark.parametrize("spec", ["", "atlas", ":", "atlas:", ":Atlas", "atlas.Atlas"])
    def test_malformed(self, spec: str) -> None:
        """What is not MODULE:CLASS is told how to be."""
        with pytest.raises(UsageError) as caught:
            load_repo(spec)

        assert f"--repo {spec}: write it as MODULE:CLASS, for example acme.atlas:Atlas" == str(
            caught.value
        )

    @pytest.mark.parametrize("module", ["no_such_module", "no_such.module", ".relative", "a..b"])
    def test_missing_module(self, module: str) -> None:
        """A module that is not there is named."""
        with pytest.raises(UsageError, match=f"^--repo {module}:Atlas: cannot import {module}: "):
            load_repo(f"{module}:Atlas")

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("Atlss", "there is no Atlss in that module; did you mean Atlas?"),
            ("globe", "there is no globe in that module; did you mean Globe?"),
            ("Weather", "there is no Weather in that module; it has Atlas, Globe"),
            ("Legend", "Legend is no meta-repository; it has Atlas, Globe"),
            ("scale", "scale is no meta-repository; it has Atlas, Globe"),
            ("MetaRepo", "MetaRepo is no meta-repository; it has Atlas, Globe"),
            ("Atlas.views", "there is no Atlas.views in that module; did you mean Atlas?"),
        ],
    )
    def test_missing_class(self, write: Write, name: str, said: str) -> None:
        """A class that is not there is told from one that is something else, and one is offered."""
        write("atlas", ATLAS)

        with pytest.raises(UsageError) as caught:
            load_repo(f"atlas:{name}")

        assert f"--repo atlas:{name}: {said}" == str(caught.value)

    def test_nothing_to_offer(self, write: Write) -> None:
        """A module without meta-repositories hears how one is declared."""
        write("empty", "")

        with pytest.raises(UsageError, match=r"declare one with class Name\(MetaRepo, name=..., "):
            load_repo("empty:Atlas")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("raise ValueError('no\\n  luck')", "ValueError: no luck"),
            ("import no_such_dependency", "No module named 'no_such_dependency'"),
            ("class Atlas(:\n", r"SyntaxError: invalid syntax (broken.py, line 1)"),
            ("import sys\nsys.exit('this is a script')", "SystemExit: this is a script"),
            (
                "from otel_meta import MetaRepo\nclass Atlas(MetaRepo): pass",
                "TypeError: MetaRepo.__init_subclass__() missing",
            ),
        ],
        ids=["raises", "dependency", "syntax", "exits", "keywords"],
    )
    def test_broken_module(self, write: Write, text: str, said: str) -> None:
        """A module that cannot be imported is named with what it said, on one line."""
        write("broken", text)

        with pytest.raises(UsageError) as caught:
            load_repo("broken:Atlas")

        assert str(caught.value).startswith("--repo broken:Atlas: cannot import broken: ")
        assert said in str(caught.value)
        assert 1 == len(str(caught.value).splitlines())

    def test_declaration(self, write: Write) -> None:
        """A declaration that cannot hold stays what it is: a finding, for those who look for it."""
        write("wrong", ATLAS.replace('name="atlas"', 'name="At Las"'))

        with pytest.raises(DeclarationError, match="use lower-case words joined by dashes"):
            load_repo("wrong:Atlas")


class TestProgram:
    """The same through the program, where exit codes and lines count."""

    @pytest.mark.parametrize("command", ["show", "check"])
    def test_repo(self, otel_meta: Command, write: Write, command: str) -> None:
        """A meta-repository in the working directory is found by the installed program."""
        write("atlas", ATLAS)

        done = otel_meta(command, "--only", "--repo", "atlas:Atlas")

        assert (0, "") == (done.returncode, done.stderr)
        assert ("atlas_views_total" if command == "show" else "1 metric") in done.stdout

    @pytest.mark.parametrize(
        ("spec", "said"),
        [
            ("atlas", "write it as MODULE:CLASS"),
            ("no_such_module:Atlas", "cannot import no_such_module"),
            ("atlas:Atlss", "did you mean Atlas?"),
            ("atlas:Legend", "Legend is no meta-repository"),
            ("raises:Atlas", "RuntimeError: out of luck"),
            ("syntax:Atlas", "(syntax.py, line 1)"),
            ("exits:Atlas", "SystemExit"),
        ],
    )
    def test_refused(self, refused: Refused, write: Write, spec: str, said: str) -> None:
        """What cannot be loaded is refused on one line, with nothing on standard output."""
        write("atlas", ATLAS)
        write("raises", "raise RuntimeError('out of\\nluck')")
        write("syntax", "class Atlas(")
        write("exits", "raise SystemExit(0)")

        assert said in refused("check", "--repo", spec)

    @pytest.mark.parametrize("command", ["show", "check"])
    def test_only(self, refused: Refused, command: str) -> None:
        """Nothing but what is named, with nothing named, is refused."""
        assert "--only leaves nothing" in refused(command, "--only")

    def test_talkative_module(self, otel_meta: Command, write: Write) -> None:
        """What a module prints while it is imported does not get into the JSON."""
        write("atlas", f"print('hello')\n{ATLAS}")

        done = otel_meta("show", "--json", "--only", "--repo=atlas:Atlas")

        assert ["atlas"] == [r["name"] for r in json.loads(done.stdout)["repos"]]

    def test_no_working_directory(self, refused: Refused, tmp_path: Path) -> None:
        """A working directory that is gone is no reason for a traceback."""
        gone = tmp_path / "gone"
        gone.mkdir()

        line = refused("show", "--repo", "no_such:Atlas", preexec_fn=gone.rmdir, cwd=gone)

        assert "no_such" in line


class TestInstalled:
    """Meta-repositories that installed packages name."""

    @pytest.fixture
    def packages(self, tmp_path: Path, environment: dict[str, str]) -> Path:
        """A folder from which Python imports, and which is not the working directory."""
        folder = tmp_path / "packages"
        folder.mkdir()
        (folder / "atlas.py").write_text(ATLAS)
        return folder

    @pytest.fixture
    def there(self, packages: Path, environment: dict[str, str]) -> dict[str, str]:
        """An environment in which those packages are installed."""
        path = environment.get("PYTHONPATH", "")
        return {**environment, "PYTHONPATH": f"{path}:{packages}".lstrip(":")}

    def test_installed(self, otel_meta: Command, packages: Path, there: dict[str, str]) -> None:
        """What the entry-point group names is added when asked for."""
        install(packages, "maps = atlas:Atlas", "world = atlas:Globe")

        done = otel_meta("show", "repos", "--json", "--installed", env=there)

        assert (0, "") == (done.returncode, done.stderr)
        assert {"atlas", "globe"} == {r["name"] for r in json.loads(done.stdout)["repos"][6:]}

    def test_unasked(self, otel_meta: Command, packages: Path, there: dict[str, str]) -> None:
        """What is installed is not added unasked."""
        install(packages, "maps = atlas:Atlas")

        done = otel_meta("check", env=there)

        assert otel_meta("check").stdout == done.stdout

    def test_only(self, otel_meta: Command, packages: Path, there: dict[str, str]) -> None:
        """They can stand alone."""
        install(packages, "maps = atlas:Atlas")

        done = otel_meta("show", "repos", "--json", "--installed", "--only", env=there)

        assert ["atlas"] == [r["name"] for r in json.loads(done.stdout)["repos"]]

    def test_extras(self, otel_meta: Command, packages: Path, there: dict[str, str]) -> None:
        """An entry point that asks for extras is found like any other."""
        install(packages, "maps = atlas:Atlas [drawing]")

        done = otel_meta("show", "repos", "--json", "--installed", "--only", env=there)

        assert (0, "") == (done.returncode, done.stderr)

    @pytest.mark.parametrize("value", ["gone.away:Atlas", "atlas:Atlss", "atlas"])
    def test_broken(
        self, refused: Refused, packages: Path, there: dict[str, str], value: str
    ) -> None:
        """An entry point that leads nowhere is named; nobody is told of an option not given."""
        install(packages, f"broken-maps = {value}")

        line = refused("check", "--installed", env=there)

        assert "--repo" not in line
        assert "broken-maps" in line
