"""Generated files on disk: written, compared, taken away, and never at somebody else's cost."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from otel_meta.cli import main, sync
from otel_meta.errors import UsageError
from otel_meta.render.artifacts import Artifact

MARKED = f"# {sync.MARK} from here.\n"
ONE = Artifact(PurePosixPath("rules/one.yml"), f"{MARKED}one: 1\n")
TWO = Artifact(PurePosixPath("rules/two.yml"), f"{MARKED}two: 2\n")


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


class TestWrite:
    def test_new(self, tmp_path: Path) -> None:
        """Files are written with their folders, and those written are named."""
        assert [tmp_path / ONE.path, tmp_path / TWO.path] == sync.write([ONE, TWO], tmp_path)
        assert {"rules/one.yml": ONE.text, "rules/two.yml": TWO.text} == content(tmp_path)

    def test_again(self, tmp_path: Path) -> None:
        """What is up to date is not touched."""
        sync.write([ONE, TWO], tmp_path)

        assert [] == sync.write([ONE, TWO], tmp_path)

    def test_left_over(self, tmp_path: Path) -> None:
        """A generated file that no longer follows goes; one by hand stays."""
        sync.write([ONE, TWO], tmp_path)
        by_hand = tmp_path / "rules/own.yml"
        by_hand.write_text("mine: 1\n")

        assert [tmp_path / TWO.path] == sync.write([ONE], tmp_path)
        assert {"rules/one.yml": ONE.text, "rules/own.yml": "mine: 1\n"} == content(tmp_path)

    def test_foreign(self, tmp_path: Path) -> None:
        """A file in the way that was not generated is refused, and nothing is written."""
        (tmp_path / "rules").mkdir()
        (tmp_path / TWO.path).write_text("mine: 1\n")

        with pytest.raises(UsageError, match="was not generated"):
            sync.write([ONE, TWO], tmp_path)
        assert {"rules/two.yml": "mine: 1\n"} == content(tmp_path)

    def test_binary(self, tmp_path: Path) -> None:
        """One that is no text at all is refused just so."""
        (tmp_path / "rules").mkdir()
        (tmp_path / ONE.path).write_bytes(b"\xff\xfe")

        with pytest.raises(UsageError, match="was not generated"):
            sync.write([ONE], tmp_path)

    def test_folder_in_the_way(self, tmp_path: Path) -> None:
        """A folder of a file's name is said to be in the way, and nothing is written."""
        (tmp_path / TWO.path).mkdir(parents=True)

        with pytest.raises(UsageError, match=r"two\.yml"):
            sync.write([ONE, TWO], tmp_path)
        assert {} == content(tmp_path)

    def test_unwritable(self, tmp_path: Path) -> None:
        """Where a folder cannot be made, that is said, and nothing is written."""
        (tmp_path / "rules").write_text("a file, not a folder\n")

        with pytest.raises(UsageError, match="rules"):
            sync.write([ONE], tmp_path)
        assert {"rules": "a file, not a folder\n"} == content(tmp_path)

    def test_error_before(self, tmp_path: Path) -> None:
        """If rendering fails half-way, nothing is written."""

        def failing() -> object:
            yield ONE
            raise RuntimeError

        with pytest.raises(RuntimeError):
            sync.write(failing(), tmp_path)
        assert {} == content(tmp_path)


class TestStale:
    def test_up_to_date(self, tmp_path: Path) -> None:
        """Nothing is stale right after writing."""
        sync.write([ONE, TWO], tmp_path)

        assert [] == list(sync.stale([ONE, TWO], tmp_path))

    def test_all_ways(self, tmp_path: Path) -> None:
        """Files that lack, differ or should not be there are stale, each with what differs."""
        extra = Artifact(PurePosixPath("rules/extra.yml"), f"{MARKED}extra: 1\n")
        sync.write([ONE, extra], tmp_path)
        (tmp_path / ONE.path).write_text(ONE.text.replace("1", "3"))
        found = {stale.path.name: stale.diff for stale in sync.stale([ONE, TWO], tmp_path)}

        assert {"one.yml", "two.yml", "extra.yml"} == {*found}
        assert "-one: 3\n+one: 1\n" in found["one.yml"]
        assert "+two: 2\n" in found["two.yml"]
        assert "-extra: 1\n" in found["extra.yml"]


class TestGenerate:
    def test_check(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """`generate --check` says which file is stale, how to mend it, and writes nothing."""
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

    def test_formats(self, tmp_path: Path) -> None:
        """Another format is up to date in that format alone."""
        out = ["generate", "--out", str(tmp_path), "--format", "mimir"]

        assert [0, 0, 1] == [main(out), main([*out, "--check"]), main([*out[:3], "--check"])]

    def test_links(self, tmp_path: Path) -> None:
        """Links begin where the reader says."""
        main(["generate", "--out", str(tmp_path), "--runbooks", "https://books.example/"])
        text = (tmp_path / "rules/cross.alerting.yml").read_text()

        assert "https://books.example/slo-overview.md" in text

    def test_unwritable(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Where nothing can be written, that is one line and no traceback."""
        (tmp_path / "rules").write_text("a file, not a folder\n")

        assert 0 != main(["generate", "--out", str(tmp_path)])
        assert "rules" in capsys.readouterr().err
