from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_meta.cli import main
from tests.yaml_files import read_yaml

Command = Callable[..., Any]

MAPS = '''\
from otel_meta import MetaRepo
class Maps(MetaRepo, name="{name}", owner="maps"):
    """Maps."""
'''


class TestFolders:
    def test_only_chosen_folders_are_written_and_checked(
        self, otel_meta: Command, tmp_path: Path
    ) -> None:
        """Only the chosen folders are written and checked."""
        wanted = ("--folders", "rules", "collector-config")

        assert 0 == otel_meta("generate", *wanted).returncode
        assert {"rules", "collector-config"} == {path.name for path in tmp_path.iterdir()}
        assert 0 == otel_meta("generate", "--check", *wanted).returncode
        assert 1 == otel_meta("generate", "--check").returncode

    def test_files_of_another_catalogue_are_left_alone(
        self, otel_meta: Command, tmp_path: Path
    ) -> None:
        """The files of meta-repositories that the catalogue does not have are left alone."""
        titan, aurora = (
            otel_meta(
                "generate", "--folders", "rules", "--only", "--repo", f"otel_meta.repos:{one}"
            )
            for one in ("Titan", "Aurora")
        )
        path = "rules/titan-microservices-mesh.alerting.yml"

        assert f"wrote {path}" in titan.stdout.splitlines()
        assert f"left alone {path}: it follows from otel_meta.repos.titan.Titan" in aurora.stdout
        assert (tmp_path / path).is_file()

    def test_two_catalogues_share_folder(self, otel_meta: Command, tmp_path: Path) -> None:
        """Two catalogues write into one folder in turn, and neither removes a file of the other."""
        rules = ("generate", "--folders", "rules", "--only", "--json")
        catalogues = [(*rules, "--repo", name) for name in ("titan", "aurora")]
        first = [json.loads(otel_meta(*each).stdout) for each in catalogues]
        files = {path: path.read_bytes() for path in (tmp_path / "rules").iterdir()}
        again = [json.loads(otel_meta(*each).stdout) for each in catalogues]

        own = {
            name: {path for path in files if path.name.startswith(name)}
            for name in ("titan", "aurora")
        }
        assert files.keys() == set((tmp_path / "rules").iterdir())
        assert [[], [], [], []] == [each["removed"] for each in (*first, *again)]
        assert own["titan"] <= {tmp_path / each["path"] for each in again[1]["left_alone"]}
        assert own["aurora"] <= {tmp_path / each["path"] for each in again[0]["left_alone"]}
        assert files.items() >= {path: path.read_bytes() for path in own["titan"]}.items()

    def test_files_of_old_name_of_meta_repository_are_removed(
        self, otel_meta: Command, tmp_path: Path, write: Callable[[str, str], Path]
    ) -> None:
        """The files of a meta-repository under its old name are removed."""
        listed = ""
        for name in ("old", "new"):
            write("maps", MAPS.format(name=name))
            only = ("--only", "--repo", "maps:Maps", "--folders", "rules")
            listed = otel_meta("generate", *only).stdout

        assert "removed rules/old.alerting.yml" in listed.splitlines()
        assert not (tmp_path / "rules/old.alerting.yml").exists()

    def test_folder_that_is_not_generated_is_error(self, refused: Callable[..., str]) -> None:
        """A folder that is not generated is an error."""
        assert "--folders: 'tests' is not one of rules, " in refused(
            "generate", "--folders", "tests"
        )

    def test_empty_name_of_target_folder_is_error(self, refused: Callable[..., str]) -> None:
        """An empty target folder is an error; it would be the working directory."""
        assert "--out: the name is empty; name a folder" in refused("generate", "--out", "")


class TestLinks:
    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ((), "to runbooks and dashboards are relative"),
            (("--runbooks", "https://books.example"), "to dashboards are relative"),
            (("--dashboards", "https://grafana.example/d"), "to runbooks are relative"),
        ],
    )
    def test_note_names_links_that_are_relative(
        self, otel_meta: Command, options: tuple[str, ...], named: str
    ) -> None:
        """The last line of the output names the links that are relative, and the options."""
        done = otel_meta("generate", "--folders", "rules", *options)

        assert (0, "") == (done.returncode, done.stderr)
        assert named in done.stdout.splitlines()[-1]

    def test_no_note_follows_absolute_links(self, otel_meta: Command) -> None:
        """With absolute links, and without rules, there is no note."""
        urls = ("--runbooks", "https://books.example", "--dashboards", "https://g.example/d")

        assert "note:" not in otel_meta("generate", "--folders", "rules", *urls).stdout
        assert "note:" not in otel_meta("generate", "--folders", "docs").stdout


class TestWebhooks:
    @pytest.mark.parametrize("option", ["--runbooks", "--dashboards"])
    def test_base_of_links_must_be_url(self, refused: Callable[..., str], option: str) -> None:
        """A base of links that is not a URL is an error: an alert would link to nothing."""
        line = refused("generate", option, "runbooks.example.org")

        assert f"{option}: 'runbooks.example.org' is not a URL" in line

    def test_given_webhooks_replace_defaults(self, tmp_path: Path) -> None:
        """Given webhooks replace the defaults."""
        page = "https://pager.example/page"
        main(["generate", "--out", str(tmp_path), "--folders", "stack", "--page-webhook", page])
        receivers = read_yaml((tmp_path / "stack" / "alertmanager.yml").read_text())["receivers"]

        assert {
            "page": page,
            "ticket": "http://notifications:8080/ticket",
            "watchdog": "http://notifications:8080/watchdog",
        } == {receiver["name"]: receiver["webhook_configs"][0]["url"] for receiver in receivers}

    def test_invalid_url_is_an_error(self, refused: Callable[..., str]) -> None:
        """A webhook that is not a URL is an error with the right form."""
        line = refused("generate", "--ticket-webhook", "localhost")

        assert "--ticket-webhook: 'localhost' is not a URL; write it as https://host/path" in line


class TestCorrections:
    ROW = """
[[correction]]
begin = 2026-11-20T10:00:00Z
end = 2026-11-20T{end}:00:00Z
reason = "Maintenance."
slos = ["{slo}"]
"""

    def test_file_of_project_changes_rules_of_its_slos(
        self, otel_meta: Command, tmp_path: Path
    ) -> None:
        """The file that the project names is found from its folder, and changes its SLOs' rules."""
        rows = [self.ROW.format(end=end, slo="nebula-api-availability") for end in (11, 12)]
        (tmp_path / "slo").mkdir()
        (tmp_path / "slo" / "rows.toml").write_text("".join(rows))
        (tmp_path / "pyproject.toml").write_text(
            '[tool.otel_meta]\ncorrections = "slo/rows.toml"\n'
        )

        done = otel_meta("generate", "--folders", "rules")
        rules = {path.name: path.read_text() for path in (tmp_path / "rules").iterdir()}
        changed = [name for name in sorted(rules) if "slo_correction_age_seconds" in rules[name]]

        assert "corrections 1 and 2 overlap; their events are excluded once" in done.stdout
        assert ["nebula-cloud-platform.recording.yml"] == changed
        assert 'slo:bad:kept1h{slo="nebula-api-latency"}' not in str(rules)

    def test_wrong_row_is_refused_and_nothing_is_written(
        self, otel_meta: Command, tmp_path: Path
    ) -> None:
        """A row about an SLO that does not exist is an error, and no file is written."""
        (tmp_path / "rows.toml").write_text(self.ROW.format(end=11, slo="nebula-api-availabilty"))

        done = otel_meta("generate", "--corrections", "rows.toml")

        assert 2 == done.returncode
        assert "rows.toml, correction 1" in done.stderr
        assert "did you mean 'nebula-api-availability'?" in done.stderr
        assert ["rows.toml"] == [path.name for path in tmp_path.iterdir()]


class TestJson:
    def test_result_lists_files(self, otel_meta: Command, tmp_path: Path) -> None:
        """With --json the result has the files, and says what is unchanged."""
        wanted = ("generate", "--folders", "rules", "--repo", "titan", "--json")
        first, again = (json.loads(otel_meta(*wanted).stdout) for _ in range(2))

        assert ["written", "removed", "left_alone", "unchanged", "notes"] == [*first]
        assert {str(path.relative_to(tmp_path)) for path in (tmp_path / "rules").iterdir()} == {
            *first["written"]
        }
        assert ([], len(first["written"])) == (again["written"], again["unchanged"])
        assert ["note"] == [note.partition(":")[0] for note in again["notes"]]

    def test_check_lists_outdated_files(self, otel_meta: Command, tmp_path: Path) -> None:
        """With --check and --json the result has each outdated file with its diff."""
        wanted = ("generate", "--folders", "rules", "--repo", "titan", "--json")
        written = json.loads(otel_meta(*wanted).stdout)["written"]
        (tmp_path / written[0]).write_text("mine: 1\n")

        done = otel_meta(*wanted, "--check")
        (file,) = json.loads(done.stdout)["out_of_date"]

        assert (1, written[0]) == (done.returncode, file["path"])
        assert "-mine: 1" in file["diff"].splitlines()
