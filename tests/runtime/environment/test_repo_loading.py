from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from otel_meta.repos import Aurora, Chronos
from otel_meta.runtime.environment import repo_loading
from otel_meta.runtime.environment.repo_loading import UnknownRepoError, load_named_repo
from otel_meta.runtime.settings import Settings, read_settings


def read(spec: str, **options: Any) -> Settings:
    """Return the settings with a value of OTEL_META_REPO."""
    return read_settings("shop", environ={"OTEL_META_REPO": spec}, **options)


class TestLoad:
    @pytest.mark.parametrize(
        "spec", ["otel_meta.repos:Aurora", "aurora", "Aurora", "aurora-fullstack-saas"]
    )
    def test_meta_repository_is_named_by_class_or_name(self, spec: str) -> None:
        """A meta-repository is named by module and class, by class, or by name."""
        assert load_named_repo(spec) is Aurora

    def test_installed_meta_repository_is_named_by_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An installed meta-repository is named by its name."""
        entry = EntryPoint("any", "otel_meta.repos.chronos:Chronos", "otel_meta.repos")
        monkeypatch.setattr(repo_loading, "_BUILTIN", "otel_meta.model")
        monkeypatch.setattr(repo_loading, "entry_points", lambda group: (entry,))

        assert load_named_repo("chronos") is Chronos

    @pytest.mark.parametrize(
        ("spec", "problem"),
        [
            ("arora", "did you mean aurora"),
            ("xyz", "choose from "),
            ("nowhere:Shop", "cannot be imported: ModuleNotFoundError"),
            ("otel_meta.repos:Shop", "write it as MODULE:CLASS"),
            ("otel_meta.repos:BUILTIN", "write it as MODULE:CLASS"),
            (":", "cannot be imported"),
        ],
    )
    def test_unknown_meta_repository_is_answered_with_fix(self, spec: str, problem: str) -> None:
        """An unknown meta-repository is answered with the fix."""
        with pytest.raises(UnknownRepoError, match=problem):
            load_named_repo(spec)


class TestSetting:
    def test_named_meta_repository_gives_namespace(self) -> None:
        """The named meta-repository gives the namespace, unless an option gives another."""
        settings = read("aurora")

        assert settings.repo is Aurora
        assert "aurora-fullstack-saas" == settings.namespace
        assert "other" == read("aurora", namespace="other").namespace

    def test_unknown_meta_repository_causes_one_warning(self) -> None:
        """An unknown meta-repository causes one warning, and is ignored."""
        settings = read("arora")
        (warning,) = settings.warnings

        assert (None, "") == (settings.repo, settings.namespace)
        assert warning.startswith("OTEL_META_REPO='arora' is not a meta-repository; did you mean")
