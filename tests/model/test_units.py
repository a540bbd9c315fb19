from __future__ import annotations

import pytest

from otel_meta.model.units import SUFFIXES, suffix_of, suggestion_for


class TestSuffixOf:
    @pytest.mark.parametrize(
        ("unit", "suffix"),
        [("", ""), ("s", "seconds"), ("By", "bytes"), ("%", "percent"), ("d", "days")],
    )
    def test_ucum(self, unit: str, suffix: str) -> None:
        """A UCUM code gives the word that Prometheus names end in."""
        assert suffix == suffix_of(unit)

    @pytest.mark.parametrize("unit", ["{request}", "{USD}", "{free tier}"])
    def test_annotation(self, unit: str) -> None:
        """An annotation says what is counted and adds nothing to the name."""
        assert "" == suffix_of(unit)

    @pytest.mark.parametrize(
        "unit",
        ["1", "ms", "min", "kBy", "{request}/s", "By{sent}", "{}", "{1}", "{a}{b}", "s ", "s\n"],
    )
    def test_unsupported(self, unit: str) -> None:
        """A unit that exporters name differently has no suffix."""
        assert suffix_of(unit) is None


class TestBetterThan:
    @pytest.mark.parametrize(
        ("unit", "better"),
        [("1", '"{ratio}"'), ("ms", '"s"'), ("h", '"s"'), ("bytes", '"By"'), ("percent", '"%"')],
    )
    def test_known(self, unit: str, better: str) -> None:
        """A common mistake is answered with what was meant."""
        assert better in suggestion_for(unit)

    def test_unknown(self) -> None:
        """Any other is answered with all there are."""
        answer = suggestion_for("furlong")

        assert [] == [code for code in SUFFIXES if code not in answer]
