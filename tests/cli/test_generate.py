from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_meta.cli import main

Command = Callable[..., Any]


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

    def test_files_of_other_choice_are_listed_as_removed(self, otel_meta: Command) -> None:
        """The files of another choice of meta-repositories are removed, and listed as removed."""
        written = otel_meta("generate", "--folders", "rules").stdout.splitlines()
        only = ("--only", "--repo", "otel_meta.repos.aurora:Aurora")
        listed = otel_meta("generate", "--folders", "rules", *only).stdout.splitlines()

        assert "rules/titan-microservices-mesh.alerting.yml" in written
        assert "removed rules/titan-microservices-mesh.alerting.yml" in listed

    def test_folder_that_is_not_generated_is_error(self, refused: Callable[..., str]) -> None:
        """A folder that is not generated is an error."""
        assert "invalid choice: 'tests'" in refused("generate", "--folders", "tests")

    def test_empty_name_of_target_folder_is_error(self, refused: Callable[..., str]) -> None:
        """An empty target folder is an error; it would be the working directory."""
        assert "--out: the name is empty; name a folder" in refused("generate", "--out", "")


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
        receivers = yaml.safe_load((tmp_path / "stack" / "alertmanager.yml").read_text())[
            "receivers"
        ]

        assert {
            "page": page,
            "ticket": "http://notifications:8080/ticket",
            "watchdog": "http://notifications:8080/watchdog",
        } == {receiver["name"]: receiver["webhook_configs"][0]["url"] for receiver in receivers}

    def test_invalid_url_is_an_error(self, refused: Callable[..., str]) -> None:
        """A webhook that is not a URL is an error with the right form."""
        line = refused("generate", "--ticket-webhook", "localhost")

        assert "--ticket-webhook: 'localhost' is not a URL; write it as https://host/path" in line
