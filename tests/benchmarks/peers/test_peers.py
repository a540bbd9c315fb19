from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from peers.programs import GO, RUST, NotBuilt, Program
from peers.tables import Costs, table

OURS = Costs(2e6, 400_000, 300, 400)
PEER = Costs(4e6, 1_900_000, 50, 250)


def cells(row: str) -> list[str]:
    """Return the cells of a row of a Markdown table."""
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_ratio_below_one_favours_first_contender() -> None:
    """The ratios divide the costs of the first contender by those of each other one."""
    *_, row = table({"ours": OURS, "theirs": PEER}, first="ours").splitlines()

    assert ["theirs", "4.00 ms", "1,900 kB", "50 ns", "250 ns", "0.50", "6.00"] == cells(row)


def test_contender_without_numbers_has_reason_in_table() -> None:
    """A contender that cannot be built has the reason in its row, and as many cells."""
    head, *_, row = table({"ours": OURS, "theirs": "go is not installed"}, "ours").splitlines()

    assert ["theirs", "go is not installed"] == cells(row)[:2]
    assert len(cells(head)) == len(cells(row))


def test_lowest_cost_of_all_rounds_counts() -> None:
    """Of several rounds, the lowest of each cost counts."""
    assert Costs(2e6, 400_000, 50, 250) == OURS.lowest(PEER)


@pytest.mark.parametrize("program", [GO, RUST], ids=["go", "rust"])
def test_missing_compiler_is_named(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing compiler is named, instead of a failure."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(NotBuilt, match=r"^no-such-compiler is not installed$"):
        replace(program, compiler="no-such-compiler").run()


@pytest.mark.parametrize("program", [GO, RUST], ids=["go", "rust"])
def test_failed_build_is_named_and_leaves_nothing(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed build is named by its last line, and the next call builds again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    failing = replace(program, compiler=shutil.which("false") or "false")

    for _ in range(2):
        with pytest.raises(NotBuilt, match="false failed: no message"):
            failing.executable()


@pytest.mark.parametrize(
    ("program", "lock"), [(GO, "go.sum"), (RUST, "Cargo.lock")], ids=["go", "rust"]
)
def test_client_is_pinned_by_digest(program: Program, lock: str) -> None:
    """The version of the client in the table is that of the committed pins, with a digest."""
    client, version = program.title.rsplit(" ", 1)
    text = (program.sources / lock).read_text()

    assert re.search(rf'{client.split()[0]}[" ]\s*(version = "|v){re.escape(version)}', text)
    assert re.search(r"h1:|checksum", text)
