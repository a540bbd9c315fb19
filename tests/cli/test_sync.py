"""Writing, comparing and removing generated files, without a loss of other files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from otel_meta.cli import main, sync
from otel_meta.errors import UsageError
from otel_meta.render.artifacts import Artifact
from otel_meta.render.header import generated_from

MARKED = f"# {generated_from('here')}\n"
ONE = Artifact(PurePosixPath("rules/one.yml"), f"{MARKED}one: 1\n")
TWO = Artifact(PurePosixPath("rules/two.yml"), f"{MARKED}two: 2\n")
OTHER = Artifact(PurePosixPath("rules/other.yml"), f"# {generated_from('there')}\nother: 3\n")


def content(folder: Path) -> dict[str, str]:
    """Return the text of every file below a folder."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


class TestWrite:
    def test_new_files_are_written_with_their_folders_and_returned(self, tmp_path: Path) -> None:
        """New files are written with their folders, and returned."""
        done = sync.write([ONE, TWO], tmp_path)

        assert (tmp_path / ONE.path, tmp_path / TWO.path) == done.written
        assert {"rules/one.yml": ONE.text, "rules/two.yml": TWO.text} == content(tmp_path)

    def test_files_that_are_up_to_date_are_not_written(self, tmp_path: Path) -> None:
        """Files that are up to date are not written."""
        sync.write([ONE, TWO], tmp_path)

        done = sync.write([ONE, TWO], tmp_path)

        assert ((), 2) == (done.written, done.unchanged)

    def test_generated_file_that_is_left_over_is_removed(self, tmp_path: Path) -> None:
        """A generated file that is left over is removed; a file by hand stays."""
        sync.write([ONE, TWO], tmp_path)
        by_hand = tmp_path / "rules/own.yml"
        by_hand.write_text("mine: 1\n")

        assert (tmp_path / TWO.path,) == sync.write([ONE], tmp_path).removed
        assert {"rules/one.yml": ONE.text, "rules/own.yml": "mine: 1\n"} == content(tmp_path)

    def test_generated_file_of_other_source_is_left_alone(self, tmp_path: Path) -> None:
        """A generated file of another source is left alone, and counts as no stale file."""
        sync.write([OTHER], tmp_path)

        done = sync.write([ONE], tmp_path)

        assert {tmp_path / OTHER.path: "there"} == done.left_alone
        assert (tmp_path / OTHER.path).is_file()
        assert [] == list(sync.stale([ONE], tmp_path))

    def test_text_lists_what_was_written_removed_and_left_alone(self, tmp_path: Path) -> None:
        """The text of a result lists the written, removed and left files, and counts them."""
        sync.write([TWO], tmp_path)
        sync.write([OTHER], tmp_path)
        rules, reason = tmp_path / "rules", "which this catalogue does not have"

        assert [
            f"wrote {rules / 'one.yml'}",
            f"removed {rules / 'two.yml'}",
            f"left alone {rules / 'other.yml'}: it follows from there, {reason}",
            "1 written, 0 unchanged, 1 removed, 1 left alone",
        ] == str(sync.write([ONE], tmp_path)).splitlines()

    def test_file_that_was_not_generated_is_error_and_no_file(self, tmp_path: Path) -> None:
        """A file that was not generated is an error, and no file is written."""
        (tmp_path / "rules").mkdir()
        (tmp_path / TWO.path).write_text("mine: 1\n")

        with pytest.raises(UsageError, match="was not generated"):
            sync.write([ONE, TWO], tmp_path)
        assert {"rules/two.yml": "mine: 1\n"} == content(tmp_path)

    def test_binary_file_of_same_name_is_error(self, tmp_path: Path) -> None:
        """A binary file of the same name is an error."""
        (tmp_path / "rules").mkdir()
        (tmp_path / ONE.path).write_bytes(b"\xff\xfe")

        with pytest.raises(UsageError, match="was not generated"):
            sync.write([ONE], tmp_path)

    def test_folder_in_the_way(self, tmp_path: Path) -> None:
        """A folder of the same name is an error, and no file is written."""
        (tmp_path / TWO.path).mkdir(parents=True)

        with pytest.raises(UsageError, match=r"two\.yml"):
            sync.write([ONE, TWO], tmp_path)
        assert {} == content(tmp_path)

    def test_folder_that_cannot_be_created_is_error_and_no_file(self, tmp_path: Path) -> None:
        """A folder that cannot be created is an error, and no file is written."""
        (tmp_path / "rules").write_text("a file, not a folder\n")

        with pytest.raises(UsageError, match="rules"):
            sync.write([ONE], tmp_path)
        assert {"rules": "a file, not a folder\n"} == content(tmp_path)

    def test_file_in_place_of_a_later_folder_is_error_and_no_file(self, tmp_path: Path) -> None:
        """A file in the place of the folder of a later file is an error, and no file is written."""
        (tmp_path / "stack").touch()
        later = Artifact(PurePosixPath("stack/later.yml"), ONE.text)

        with pytest.raises(UsageError, match="stack is no folder; choose another --out"):
            sync.write([ONE, later], tmp_path)

        assert {"stack": ""} == content(tmp_path)

    def test_if_rendering_fails_no_file_is_written(self, tmp_path: Path) -> None:
        """If rendering fails, no file is written."""

        def failing() -> Iterator[Artifact]:
            yield ONE
            raise RuntimeError

        with pytest.raises(RuntimeError):
            sync.write(failing(), tmp_path)
        assert {} == content(tmp_path)


class TestStale:
    def test_written_files_are_not_stale(self, tmp_path: Path) -> None:
        """Written files are not stale."""
        sync.write([ONE, TWO], tmp_path)

        assert [] == list(sync.stale([ONE, TWO], tmp_path))

    def test_missing_different_and_left_over_files_are_stale_each(self, tmp_path: Path) -> None:
        """Missing, different and left-over files are stale, each with its diff."""
        extra = Artifact(PurePosixPath("rules/extra.yml"), f"{MARKED}extra: 1\n")
        sync.write([ONE, extra], tmp_path)
        (tmp_path / ONE.path).write_text(ONE.text.replace("1", "3"))
        found = {stale.path.name: stale.diff for stale in sync.stale([ONE, TWO], tmp_path)}

        assert {"one.yml", "two.yml", "extra.yml"} == {*found}
        assert "-one: 3\n+one: 1\n" in found["one.yml"]
        assert "+two: 2\n" in found["two.yml"]
        assert "-extra: 1\n" in found["extra.yml"]


class TestGenerate:
    def test_generate_check_names_stale_files_and_cure_and_writes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """`generate --check` names stale files and the cure, and writes no file."""
        out = ["generate", "--out", str(tmp_path)]
        assert 0 == main(out)
        assert 0 == main([*out, "--check"])
        path = tmp_path / "rules/cross.alerting.yml"
        path.write_text(path.read_text() + "# more\n")
        before = content(tmp_path)
        capsys.readouterr()

        assert 1 == main([*out, "--check"])
        assert f"{path} is out of date; run: otel-meta generate" in capsys.readouterr().out
        assert before == content(tmp_path)

    def test_files_in_another_format_are_up_to_date(self, tmp_path: Path) -> None:
        """Files in another format are up to date in that format alone."""
        out = ["generate", "--out", str(tmp_path), "--format", "mimir"]

        assert [0, 0, 1] == [main(out), main([*out, "--check"]), main([*out[:3], "--check"])]

    def test_links_begin_with_base_of_options(self, tmp_path: Path) -> None:
        """Links begin with the base of the options."""
        main(["generate", "--out", str(tmp_path), "--runbooks", "https://books.example/"])
        text = (tmp_path / "rules/cross.alerting.yml").read_text()

        assert "https://books.example/slo-overview.md" in text

    def test_folder_that_cannot_be_written_is_error_of_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A folder that cannot be written is an error of one line."""
        (tmp_path / "rules").write_text("a file, not a folder\n")

        assert 0 != main(["generate", "--out", str(tmp_path)])
        assert "rules" in capsys.readouterr().err
