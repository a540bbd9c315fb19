"""The file of corrections: what is read, what is refused, and what is said of overlaps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from otel_meta.errors import DeclarationError
from otel_meta.model.slo.correction import Correction
from otel_meta.repos import BUILTIN
from otel_meta.status.corrections_file import check_corrections, overlaps, read_corrections
from otel_meta.status.corrections_json import corrections_json

ROW = """
[[correction]]
begin = 2026-11-20T10:00:00Z
end = 2026-11-20T11:00:00Z
reason = "Announced maintenance"
"""
LABELS = ("service_namespace", "service_name")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file."""
    return tmp_path / "slo-corrections.toml"


def read(path: Path, text: str) -> tuple[Correction, ...]:
    """Return the corrections of a file with this text."""
    path.write_text(text)
    return read_corrections(path)


class TestRead:
    def test_row_is_correction(self, path: Path) -> None:
        """A row is a correction with each of its keys."""
        more = 'kind = "maintenance"\nslos = ["a-b"]\nservice = { service_name = "shop" }\n'
        expected = Correction(
            begin=datetime(2026, 11, 20, 10, tzinfo=UTC),
            end=datetime(2026, 11, 20, 11, tzinfo=UTC),
            reason="Announced maintenance.",
            kind="maintenance",
            slos=("a-b",),
            service={"service_name": "shop"},
        )

        assert (expected,) == read(path, ROW + more)

    def test_file_without_rows_has_no_corrections(self, path: Path) -> None:
        """An empty file has no corrections."""
        assert () == read(path, "")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[[", "is not TOML"),
            ("[correction]\n", "has the table .correction."),
            ("[[corection]]\n", "has the unknown key 'corection'; did you mean 'correction'"),
            ("correction = [1]\n", "correction 1: is 1; write a table"),
            (f"{ROW}{ROW}", "correction 2: repeats correction 1"),
            (f"{ROW}slo = []\n", "correction 1: has the unknown key 'slo'; did you mean 'slos'"),
            (f'{ROW}slos = "a-b"\n', "correction 1: has the slos 'a-b'; write a list"),
            (f"{ROW}slos = [1]\n", "correction 1: has the slos .1.; write a list"),
            (f'{ROW}service = "shop"\n', "has the service 'shop'; write a table"),
            (f'{ROW}kind = "maintenence"\n', "did you mean 'maintenance'"),
            (ROW.replace("11:00:00Z", "11:00:00"), "correction 1.* without a zone"),
            (ROW.replace("T11:00:00Z", ""), "correction 1: has the end 2026-11-20 without a time"),
            (ROW.replace("11:00:00Z", "09:00:00Z"), "correction 1.* does not end after"),
            ('[[correction]]\nreason = "Why not."\n', "correction 1: has no begin"),
        ],
    )
    def test_mistake_is_refused_with_number_of_row(
        self, path: Path, text: str, message: str
    ) -> None:
        """A mistake is refused with the file and the number of the row."""
        with pytest.raises(DeclarationError, match=message) as raised:
            read(path, text)

        assert str(raised.value).startswith(str(path))

    def test_missing_file_is_refused(self, path: Path) -> None:
        """A file that does not exist is refused."""
        with pytest.raises(DeclarationError, match="cannot be read: No such file"):
            read_corrections(path)


class TestCatalog:
    @pytest.mark.parametrize(
        ("row", "message"),
        [
            (f'{ROW}slos = ["aurora-api-availabilty"]', "did you mean 'aurora-api-availability'"),
            (f'{ROW}service = {{ servicename = "a" }}', "did you mean 'service_name'"),
            (
                ROW.replace("2026-11-20T11", "2026-11-27T10") + 'slos = ["aurora-api-latency"]',
                "correction 1: is as long as the period",
            ),
        ],
        ids=["SLO", "label", "period"],
    )
    def test_row_that_does_not_fit_catalogue_is_refused(
        self, path: Path, row: str, message: str
    ) -> None:
        """A row about an unknown SLO or label, or as long as the period, is refused."""
        rows = read(path, row)

        with pytest.raises(DeclarationError, match=message):
            check_corrections(path, rows, BUILTIN, LABELS)

    def test_row_that_fits_catalogue_is_accepted(self, path: Path) -> None:
        """A row about all SLOs that is shorter than every period is accepted."""
        check_corrections(path, read(path, ROW), BUILTIN, LABELS)


class TestOverlaps:
    def test_rows_that_overlap_are_named(self, path: Path) -> None:
        """Rows that overlap are named; rows about other SLOs, services or times are not."""
        half = ROW.replace("10:00", "10:30")
        rows = read(
            path,
            f'{ROW}slos = ["a-b"]\n'
            f'{half}slos = ["a-b", "c-d"]\nservice = {{ service_name = "shop" }}\n'
            f'{half}service = {{ service_name = "bank" }}\nslos = ["c-d"]\n'
            + ROW.replace("11:00", "12:00").replace("10:00", "11:00"),
        )
        (note,) = overlaps(path, rows)

        assert f"{path}: corrections 1 and 2 overlap" in note


class TestJson:
    def test_corrections_are_plain_values_latest_first(self, path: Path) -> None:
        """Corrections are plain values in UTC, the latest first."""
        rows = read(path, f"{ROW}{ROW.replace('20T', '21T').replace('Z', '+09:00')}")

        assert ["2026-11-21T01:00:00Z", "2026-11-20T10:00:00Z"] == [
            each["begin"] for each in corrections_json(rows)
        ]
