"""Loading the catalogue of a command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_meta import Catalog, MetaRepo
from otel_meta.cli.catalog_loader import load_catalog, load_repo
from otel_meta.errors import DeclarationError, UsageError
from otel_meta.repos import BUILTIN, Aurora, Titan
from tests.cli.project_from_options import project_of

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
    """Return the catalogue of these options."""
    return load_catalog(project_of(*arguments))


def install(folder: Path, *entries: str) -> None:
    """Write a distribution with these entry points into a folder."""
    made = folder / "maps-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: maps\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text("\n".join(["[otel_meta.repos]", *entries]))


@pytest.mark.usefixtures("here")
class TestCatalog:
    def test_without_options_catalogue_is_built_in_one(self) -> None:
        """Without options the catalogue is the built-in one."""
        assert BUILTIN == catalog()
        assert 6 == len(BUILTIN)

    def test_named_meta_repositories_follow_built_in_ones_in_order(self, write: Write) -> None:
        """Named meta-repositories follow the built-in ones, in the order of the options."""
        write("atlas", ATLAS)

        found = catalog("--repo", "atlas:Globe", "--repo", "atlas:Atlas")

        assert ["globe", "atlas"] == [repo.name for repo in found.repos[6:]]
        assert BUILTIN.repos == found.repos[:6]

    def test_meta_repository_named_twice_is_in_catalogue_once(self, write: Write) -> None:
        """A meta-repository named twice is in the catalogue once."""
        write("atlas", ATLAS)

        found = catalog("--repo=atlas:Atlas", "--repo=atlas:Atlas", "--repo=otel_meta.repos:Titan")

        assert [*BUILTIN, load_repo("atlas:Atlas")] == list(found)

    def test_with_only_catalogue_has_named_meta_repositories_alone(self, write: Write) -> None:
        """With --only the catalogue has the named meta-repositories alone."""
        write("atlas", ATLAS)

        assert ["atlas"] == [repo.name for repo in catalog("--only", "--repo=atlas:Atlas")]
        assert [Titan] == list(catalog("--only", "--repo=otel_meta.repos:Titan"))

    def test_empty_catalogue_is_error(self) -> None:
        """An empty catalogue is an error."""
        with pytest.raises(UsageError, match="--only needs a meta-repository"):
            catalog("--only")


@pytest.mark.usefixtures("here")
class TestNames:
    @pytest.mark.parametrize("name", ["titan", "Titan", "titan-microservices-mesh"])
    @pytest.mark.parametrize("more", [(), ("--only",)])
    def test_name_limits_catalogue(self, name: str, more: tuple[str, ...]) -> None:
        """A name limits the catalogue to one meta-repository: its own, or that of its class."""
        assert [Titan] == list(catalog("--repo", name, *more))

    def test_names_are_in_order_of_options(self) -> None:
        """Several names limit the catalogue to these, in the order of the options."""
        found = catalog("--repo=titan", "--repo=aurora", "--repo=titan")

        assert [Titan, Aurora] == list(found)

    def test_added_class_stays_beside_named_one(self, write: Write) -> None:
        """A class that is added is in the catalogue, beside the named meta-repositories."""
        write("atlas", ATLAS)

        found = catalog("--repo=atlas:Atlas", "--repo=titan")

        assert [Titan, load_repo("atlas:Atlas")] == list(found)

    def test_name_of_table_limits_catalogue(self, write: Write, here: Path) -> None:
        """A name may be that of a meta-repository of the project's table."""
        write("atlas", ATLAS)
        table = "[tool.otel_meta]\nonly = true\nrepos = ['atlas:Atlas', 'atlas:Globe']\n"
        (here / "pyproject.toml").write_text(table)

        assert [load_repo("atlas:Globe")] == list(catalog("--repo=globe"))
        assert [Titan] == list(catalog("--repo=titan"))

    def test_table_may_name_built_in_ones(self, write: Write, here: Path) -> None:
        """The table may limit the catalogue by names, and add classes."""
        write("atlas", ATLAS)
        table = "[tool.otel_meta]\nrepos = ['aurora', 'atlas:Atlas']\n"
        (here / "pyproject.toml").write_text(table)

        assert [Aurora, load_repo("atlas:Atlas")] == list(catalog())


@pytest.mark.usefixtures("here")
class TestLoad:
    def test_module_in_working_directory_is_importable(self, write: Write) -> None:
        """A module in the working directory is importable."""
        write("atlas", ATLAS)

        found = load_repo("atlas:Atlas")

        assert issubclass(found, MetaRepo)
        assert "atlas" == found.name

    def test_module_in_package_is_found_by_its_dotted_name(self, here: Path) -> None:
        """A module in a package is found by its dotted name."""
        (here / "acme").mkdir()
        (here / "acme" / "atlas.py").write_text(ATLAS)

        assert "globe" == load_repo("acme.atlas:Globe").name

    @pytest.mark.parametrize(
        "spec",
        [
            "",
            "atlas",
            ":",
            "atlas:",
            ":Atlas",
            "atlas.Atlas",
            ".relative:Atlas",
            "a..b:Atlas",
            "a-b:Atlas",
        ],
    )
    def test_malformed_spec_is_error_with_right_form(self, spec: str) -> None:
        """A malformed spec is an error with the right form."""
        with pytest.raises(UsageError) as caught:
            load_repo(spec)

        assert str(caught.value).startswith(
            f"--repo {spec}: write it as MODULE:CLASS, for example "
        )

    @pytest.mark.parametrize("module", ["no_such_module", "no_such.module"])
    def test_error_for_missing_module_names_it(self, module: str) -> None:
        """The error for a missing module names it."""
        with pytest.raises(UsageError, match=f"^--repo {module}:Atlas: cannot import {module}: "):
            load_repo(f"{module}:Atlas")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("Atlss", "there is no Atlss in that module; did you mean Atlas?"),
            ("globe", "there is no globe in that module; did you mean Globe?"),
            ("Weather", "there is no Weather in that module; it has Atlas, Globe"),
            ("Legend", "Legend is not a meta-repository; it has Atlas, Globe"),
            ("scale", "scale is not a meta-repository; it has Atlas, Globe"),
            ("MetaRepo", "MetaRepo is not a meta-repository; it has Atlas, Globe"),
            ("Atlas.views", "there is no Atlas.views in that module; did you mean Atlas?"),
        ],
    )
    def test_error_for_wrong_class_names_problem_and_suggests_class(
        self, write: Write, name: str, message: str
    ) -> None:
        """The error for a wrong class names the problem and suggests a class."""
        write("atlas", ATLAS)

        with pytest.raises(UsageError) as caught:
            load_repo(f"atlas:{name}")

        assert f"--repo atlas:{name}: {message}" == str(caught.value)

    def test_error_for_module_without_meta_repositories_shows_declaration(
        self, write: Write
    ) -> None:
        """The error for a module without meta-repositories shows a declaration."""
        write("empty", "")

        with pytest.raises(UsageError, match=r"declare one with class Name\(MetaRepo, name=..., "):
            load_repo("empty:Atlas")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("raise ValueError('no\\n  luck')", "broken.py:1: ValueError: no luck"),
            (
                "import no_such_dependency",
                "broken.py:1: ModuleNotFoundError: No module named 'no_such_dependency'; in",
            ),
            ("class Atlas(:\n", "broken.py:1: SyntaxError: invalid syntax"),
            (
                "import sys\nsys.exit('a script')",
                "broken.py:2: SystemExit: a script",
            ),
            ("def f(): 1 / 0\nf()", "broken.py:1: ZeroDivisionError: division by zero"),
            ("import json\njson.loads('{')", "broken.py:2: JSONDecodeError: Expecting"),
        ],
        ids=["raises", "dependency", "syntax", "exits", "called", "library"],
    )
    def test_failed_import_is_error_of_one_line_with_exception(
        self, write: Write, text: str, message: str
    ) -> None:
        """A failed import is an error of one line with the place and the exception."""
        write("broken", text)

        with pytest.raises(UsageError) as caught:
            load_repo("broken:Atlas")

        assert str(caught.value).startswith("--repo broken:Atlas: cannot import broken: ")
        assert message in str(caught.value)
        assert 1 == len(str(caught.value).splitlines())

    def test_invalid_declaration_stays_declarationerror_which_is_finding(
        self, write: Write
    ) -> None:
        """An invalid declaration stays a DeclarationError, which is a finding."""
        write("wrong", ATLAS.replace('name="atlas"', 'name="At Las"'))

        with pytest.raises(
            DeclarationError, match=r"^wrong\.py:2: meta-repository 'At Las': .*mean 'at-las'"
        ):
            load_repo("wrong:Atlas")


class TestProgram:
    """Options of the installed program: exit codes and lines."""

    @pytest.mark.parametrize("command", ["show", "check"])
    def test_program_finds_meta_repository_in_working_directory(
        self, otel_meta: Command, write: Write, command: str
    ) -> None:
        """The program finds a meta-repository in the working directory."""
        write("atlas", ATLAS)

        done = otel_meta(command, "--only", "--repo", "atlas:Atlas")

        assert (0, "") == (done.returncode, done.stderr)
        assert ("atlas_views_total" if command == "show" else "1 metric") in done.stdout

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("atlas", "write it as MODULE:CLASS"),
            ("no_such_module:Atlas", "cannot import no_such_module"),
            ("atlas:Atlss", "did you mean Atlas?"),
            ("atlas:Legend", "Legend is not a meta-repository"),
            ("raises:Atlas", "RuntimeError: out of luck"),
            ("syntax:Atlas", "syntax.py:1: SyntaxError"),
            ("./atlas.py:Atlas", "write the module in place of the file: --repo atlas:Atlas"),
            ("atlas.py", "write the module in place of the file: --repo atlas:CLASS"),
            ("acme/maps.py:Atlas", "in place of the file: --repo acme.maps:Atlas"),
            ("acme/maps:Atlas", "in place of the file: --repo acme.maps:Atlas"),
            ("/opt/maps.py:Atlas", "--repo maps:Atlas in the folder /opt, or with PYTHONPATH"),
            ("atlas.Atlas", "for example atlas:Atlas"),
            ("atlsa:Atlas", "add the folder to PYTHONPATH; did you mean 'atlas'?"),
            ("auorra", "no meta-repository of the catalogue has this name; did you mean 'aurora'?"),
            ("titan-microservice-mesh", "did you mean 'titan-microservices-mesh'?"),
            ("exits:Atlas", "SystemExit"),
        ],
    )
    def test_failed_import_is_one_line_on_standard_error(
        self, refused: Refused, write: Write, spec: str, message: str
    ) -> None:
        """A failed import is one line on standard error."""
        write("atlas", ATLAS)
        write("raises", "raise RuntimeError('out of\\nluck')")
        write("syntax", "class Atlas(")
        write("exits", "raise SystemExit(0)")

        assert message in refused("check", "--repo", spec)

    @pytest.mark.parametrize("command", ["show", "check"])
    def test_only_without_repo_is_error(self, refused: Refused, command: str) -> None:
        """--only without --repo is an error."""
        assert "--only needs a meta-repository" in refused(command, "--only")

    def test_output_of_imported_module_is_not_in_json(
        self, otel_meta: Command, write: Write
    ) -> None:
        """Output of an imported module is not in the JSON."""
        write("atlas", f"print('hello')\n{ATLAS}")

        done = otel_meta("show", "--json", "--only", "--repo=atlas:Atlas")

        assert ["atlas"] == [r["name"] for r in json.loads(done.stdout)["repos"]]

    def test_removed_working_directory_is_error_without_traceback(
        self, refused: Refused, tmp_path: Path
    ) -> None:
        """A removed working directory is an error without a traceback."""
        gone = tmp_path / "gone"
        gone.mkdir()

        line = refused("show", "--repo", "no_such:Atlas", preexec_fn=gone.rmdir, cwd=gone)

        assert "no_such" in line


class TestInstalled:
    """Meta-repositories of installed packages."""

    @pytest.fixture
    def packages(self, tmp_path: Path, environment: dict[str, str]) -> Path:
        """A folder for packages that is not the working directory."""
        folder = tmp_path / "packages"
        folder.mkdir()
        (folder / "atlas.py").write_text(ATLAS)
        return folder

    @pytest.fixture
    def packages_environment(self, packages: Path, environment: dict[str, str]) -> dict[str, str]:
        """The environment with those packages installed."""
        path = environment.get("PYTHONPATH", "")
        return {**environment, "PYTHONPATH": f"{path}:{packages}".lstrip(":")}

    def test_with_installed_entry_points_are_added(
        self, otel_meta: Command, packages: Path, packages_environment: dict[str, str]
    ) -> None:
        """With --installed the entry points are added."""
        install(packages, "maps = atlas:Atlas", "world = atlas:Globe")

        done = otel_meta("show", "repos", "--json", "--installed", env=packages_environment)

        assert (0, "") == (done.returncode, done.stderr)
        assert {"atlas", "globe"} == {r["name"] for r in json.loads(done.stdout)["repos"][6:]}

    def test_without_installed_entry_points_are_not_added(
        self, otel_meta: Command, packages: Path, packages_environment: dict[str, str]
    ) -> None:
        """Without --installed the entry points are not added."""
        install(packages, "maps = atlas:Atlas")

        done = otel_meta("check", env=packages_environment)

        assert otel_meta("check").stdout == done.stdout

    def test_entry_points_can_be_whole_catalogue(
        self, otel_meta: Command, packages: Path, packages_environment: dict[str, str]
    ) -> None:
        """Entry points can be the whole catalogue."""
        install(packages, "maps = atlas:Atlas")

        done = otel_meta(
            "show", "repos", "--json", "--installed", "--only", env=packages_environment
        )

        assert ["atlas"] == [r["name"] for r in json.loads(done.stdout)["repos"]]

    def test_entry_point_with_extras_is_loaded(
        self, otel_meta: Command, packages: Path, packages_environment: dict[str, str]
    ) -> None:
        """An entry point with extras is loaded."""
        install(packages, "maps = atlas:Atlas [drawing]")

        done = otel_meta(
            "show", "repos", "--json", "--installed", "--only", env=packages_environment
        )

        assert (0, "") == (done.returncode, done.stderr)

    @pytest.mark.parametrize("value", ["gone.away:Atlas", "atlas:Atlss", "atlas"])
    def test_error_for_broken_entry_point_names_it_instead_of_repo(
        self, refused: Refused, packages: Path, packages_environment: dict[str, str], value: str
    ) -> None:
        """The error for a broken entry point names it instead of --repo."""
        install(packages, f"broken-maps = {value}")

        line = refused("check", "--installed", env=packages_environment)

        assert "--repo" not in line
        assert "broken-maps" in line
