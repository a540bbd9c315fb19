"""Mistakes of the generators, and the tests that a source file has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools" / "mutation"))

from areas import IGNORED, area_of, groups_of_tests, sources  # noqa: E402  # a tool, outside the packages
from mistakes import mistakes  # noqa: E402

RENDER = Path("otel_meta/render")


class TestMistakes:
    def test_every_mistake_can_be_made_in_its_file(self) -> None:
        """Every mistake changes one place of its file, and has tests that exist."""
        made = list(mistakes(ROOT))

        assert [] == [one.mutant.name for one in made if one.mutant.text == _text(one.path)]
        assert [] == [
            one.tests[0] for one in made if not (ROOT / one.tests[0].split("::")[0]).is_file()
        ]

    def test_missing_text_names_mistake(self, tmp_path: Path) -> None:
        """A text that is no longer in its file names the mistake that has to be corrected."""
        table = tmp_path / "mistakes.toml"
        row = 'name = "a"\nfile = "Makefile"\noriginal = "no such text"\nmistaken = ""\ntests = []'
        table.write_text(f"[[mistake]]\n{row}\n")

        with pytest.raises(SystemExit, match="'no such text' 0 times instead of once"):
            list(mistakes(ROOT, table))


class TestAreas:
    def test_generator_has_tests_of_its_file_then_of_rules(self) -> None:
        """The tests of a generator are those of its file, then those of what it writes."""
        groups = [group[0] for group in groups_of_tests(RENDER / "rules" / "overview.py")]

        assert [
            "tests/render/rules/test_overview.py",
            "tests/rules/test_rule_meanings.py",
            "tests/render",
            "tests/rules",
        ] == groups
        assert area_of(RENDER / "alertmanager.py").is_generator

    def test_comparison_of_committed_files_kills_no_mutant(self) -> None:
        """No group runs the test that compares the committed files with the generator."""
        assert all(IGNORED in group for group in groups_of_tests(RENDER / "alertmanager.py"))

    def test_file_of_runtime_has_tests_of_its_folder_and_of_forks(self) -> None:
        """A file of the runtime has the tests of its folder and of forks."""
        *_, last = groups_of_tests(Path("otel_meta/runtime/recording/cells.py"))

        assert ("tests/runtime/recording", "tests/runtime/test_fork.py") == last[:2]

    def test_folder_is_all_its_files(self) -> None:
        """A folder stands for all files below it."""
        found = sources([RENDER / "rules"])

        assert RENDER / "rules" / "overview.py" in found
        assert all(path.suffix == ".py" for path in found)

    def test_other_folder_is_refused(self) -> None:
        """A file of another folder is refused."""
        with pytest.raises(SystemExit, match="only files below"):
            area_of(Path("otel_meta/model/names.py"))


def _text(path: Path) -> str:
    return (ROOT / path).read_text()
