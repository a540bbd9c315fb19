from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "otel_meta"
SHARED_NAMES = {"__init__", "__main__"}
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
CONTRACTS = [contract["name"] for contract in DECLARED]

# The module and the line that break each contract.
BREACHES = {
    "Stages import in one direction": ("model/duration.py", "import otel_meta.runtime"),
    "Declarations and generators need no OpenTelemetry": ("repos/nebula.py", "import structlog"),
    "A service loads no generator, no YAML and no command": ("runtime/settings.py", "import yaml"),
    "Recording through OpenTelemetry's API needs no extra": (
        "runtime/recording/cells.py",
        "import structlog",
    ),
    "The runtime is built in layers": (
        "runtime/recording/cells.py",
        "import otel_meta.runtime.export.queues",
    ),
    "No import circles": ("model/names.py", "import otel_meta.model.slo.slo"),
    "Checks need no process": ("check/promql/values.py", "import otel_meta.runtime.metrics"),
    "The catalogue and the test kit need no generator": (
        "testing/clock.py",
        "import otel_meta.render",
    ),
    "The web framework is imported in one file": ("web/asgi.py", "import starlette"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the package below a folder against the contracts that stand there."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=root,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


class TestContracts:
    def test_package_keeps_every_contract(self) -> None:
        """The imports of the package keep every contract."""
        run = lint(ROOT)

        assert 0 == run.returncode, run.stdout + run.stderr

    def test_document_has_the_layers_of_the_runtime(self) -> None:
        """The page on architecture lists the layers of the contract, in their order."""
        (layers,) = (c["layers"] for c in DECLARED if c["name"] == "The runtime is built in layers")
        text = (ROOT / "docs" / "architecture.md").read_text()
        _, _, table = text.partition("| layer of `runtime/`, the highest first | content |\n")
        rows = [row.split("|")[1] for row in table.partition("\n\n")[0].splitlines()[1:]]

        assert [layer.split(" | ") for layer in layers] == [re.findall(r"`(\w+)`", r) for r in rows]

    def test_every_contract_has_a_breach(self) -> None:
        """Each contract has an import below that breaks it."""
        assert list(BREACHES) == CONTRACTS

    @pytest.mark.parametrize("contract", BREACHES)
    def test_forbidden_import_breaks_its_contract(self, contract: str, tmp_path: Path) -> None:
        """An import that a contract forbids breaks the contract."""
        module, line = BREACHES[contract]
        shutil.copy(ROOT / "pyproject.toml", tmp_path)
        shutil.copytree(ROOT / "otel_meta", tmp_path / "otel_meta")
        with (tmp_path / "otel_meta" / module).open("a") as file:
            file.write(f"{line}\n")

        run = lint(tmp_path)

        assert 1 == run.returncode
        assert f"{contract} BROKEN" in run.stdout


class TestLayout:
    def test_file_name_stands_for_one_thing(self) -> None:
        """No two modules of the package have the same file name."""
        names = [path.name for path in PACKAGE.rglob("*.py") if path.stem not in SHARED_NAMES]

        assert [] == [name for name, count in Counter(names).items() if count > 1]

    def test_folder_has_at_most_twenty_files(self) -> None:
        """No folder of the package has more than twenty modules."""
        sizes = Counter(path.parent.relative_to(ROOT) for path in PACKAGE.rglob("*.py"))

        assert {} == {str(folder): size for folder, size in sizes.items() if size > 20}
