from __future__ import annotations

import pytest

from .elsewhere import ELSEWHERE
from .engine_table import FOLDER, cases, elsewhere, reasons, table
from .engines import ENGINES
from .unmet import UNMET

ROOT = FOLDER.parents[2]


class TestTable:
    @pytest.mark.parametrize("part", [table, reasons, elsewhere])
    def test_document_has_every_case_and_reason(self, part: object) -> None:
        """The page on engines has every case, every reason and every case of other folders."""
        assert callable(part)
        assert part() in (ROOT / "docs" / "engines.md").read_text()

    def test_names_of_cases_are_unique(self) -> None:
        """No two cases have the same name, because the reasons are found by it."""
        names = [case.name for case in cases()]

        assert [] == [name for name in names if names.count(name) > 1]

    @pytest.mark.parametrize("engine", ENGINES)
    def test_every_reason_has_case(self, engine: str) -> None:
        """Each reason why an engine fails is that of a case."""
        names = {case.name for case in cases()}

        assert set() == {key.partition("[")[0] for key in UNMET.get(engine, {})} - names

    @pytest.mark.parametrize("claim", ELSEWHERE)
    def test_case_of_other_folder_exists(self, claim: str) -> None:
        """Each case of another folder exists."""
        path, name = ELSEWHERE[claim]

        assert f"def {name}(" in (ROOT / path).read_text()
