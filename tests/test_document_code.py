"""The Python code in the documents: types, recorded labels, and tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from otel_meta.runtime.telemetry import OPEN, Telemetry
from otel_meta.testing import capture
from tests.document_blocks import ROOT, WAYS, Block, blocks

BLOCKS = blocks("python")
FILES = [block for block in BLOCKS if block.way == "file"]
RUN = [block for block in BLOCKS if block.way == "run"]
TESTS = [block for block in BLOCKS if block.way == "test"]

_CACHE = ROOT / ".mypy_cache" / "documents"

NO_FAULTS = """
import pytest
from otel_meta.runtime.telemetry import OPEN

@pytest.fixture(autouse=True)
def no_faults():
    before = {telemetry: telemetry.faults.count() for telemetry in OPEN}
    with OPEN.watched_by(lambda opened: before.update({opened: 0})):
        yield
    assert before == {telemetry: telemetry.faults.count() for telemetry in before}
"""
"""A plugin: a test that records a wrong label fails."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the documents."""
    where = tmp_path_factory.mktemp("documents")
    for block in FILES:
        (where / block.file_name).write_text(block.module)
    return where


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder with this package, without OpenTelemetry's variables."""
    given = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**given, "PYTHONPATH": str(ROOT), "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_each_block_says_how_it_runs() -> None:
    """Each Python block of a document is marked with the way in which it runs."""
    assert [] == [str(block) for block in BLOCKS if block.way not in WAYS]


def test_files_of_one_name_are_equal() -> None:
    """Two blocks that are files of one name have one text: readers see one project."""
    texts = {block.file_name: block.text for block in FILES}

    assert [] == [str(block) for block in FILES if block.text != texts[block.file_name]]


def test_each_block_has_correct_types(tmp_path: Path) -> None:
    """Each block passes mypy, which knows the labels of every metric and their closed sets."""
    for block in BLOCKS:
        (tmp_path / block.file_name).write_text(block.typed_module)
    missing = ["--ignore-missing-imports", "--allow-untyped-decorators"]  # of packages only shown
    options = [
        "--strict",
        *missing,
        "--no-error-summary",
        "--config-file=",
        f"--cache-dir={_CACHE}",
    ]

    checked = python(tmp_path, "-m", "mypy", *options, ".")

    assert "" == checked.stdout + checked.stderr


@pytest.mark.parametrize("block", RUN, ids=str)
def test_script_runs_and_records_without_a_fault(block: Block) -> None:
    """A script runs, and records without a fault, such as a label outside its closed set."""
    opened: list[Telemetry] = []
    with OPEN.watched_by(opened.append), capture():
        scope: dict[str, object] = {"__name__": "document"}
        exec(compile(block.module, str(block.page), "exec"), scope)  # the document's own code

        assert 0 == sum(telemetry.faults.count() for telemetry in opened)
    for telemetry in opened:
        telemetry.shutdown()


@pytest.mark.parametrize("block", FILES, ids=str)
def test_file_is_imported_and_records_without_a_fault(block: Block, folder: Path) -> None:
    """A file is imported, and records without a fault."""
    script = (
        f"import {block.file_name.removesuffix('.py')}\n"
        "from otel_meta.runtime.telemetry import OPEN\n"
        "assert 0 == sum(telemetry.faults.count() for telemetry in OPEN)"
    )
    done = python(folder, "-c", script)

    assert 0 == done.returncode, done.stderr


def test_tests_pass_and_record_without_a_fault(folder: Path) -> None:
    """The tests of the documents pass, and record without a fault."""
    for block in TESTS:
        (folder / block.file_name).write_text(block.module)
    (folder / "no_faults.py").write_text(NO_FAULTS)
    tests = sum(f"\n{block.text}".count("\ndef test_") for block in TESTS)

    done = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no_faults")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert int(done.stdout.split(" passed")[0].split()[-1]) >= tests
