from __future__ import annotations

from pathlib import Path

import pytest

from . import ends
from .ends import ENDS, End, described
from .parity import RECORDERS, ROWS, expected, table
from .telemetry_keys import names, send_all

DOCUMENT = Path(__file__).parents[3] / "docs" / "engines.md"


class TestParity:
    @pytest.mark.parametrize("recorder", RECORDERS)
    def test_recorder_records_names_of_table(self, recorder: str) -> None:
        """Each recorder records the attributes, labels, events and spans of the table."""
        assert expected(recorder) == names(RECORDERS[recorder](send_all))

    def test_document_has_table(self) -> None:
        """The page on engines has the table."""
        assert table() in DOCUMENT.read_text()

    def test_each_difference_has_reason(self) -> None:
        """Each name that not all recorders have has a reason."""
        unexplained = [row for row in ROWS if len(row.recorders) < len(RECORDERS) and not row.why]

        assert [] == unexplained


class TestEnds:
    @pytest.mark.parametrize("recorder", RECORDERS)
    @pytest.mark.parametrize("end", ENDS, ids=lambda end: end.claim)
    def test_span_tells_end_as_table_says(self, end: End, recorder: str) -> None:
        """The span tells the end of a request as the table says."""
        assert end.cell(recorder) == described(recorder, end)

    def test_document_has_table(self) -> None:
        """The page on engines has the table of ends."""
        assert ends.table() in DOCUMENT.read_text()
