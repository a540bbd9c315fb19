from __future__ import annotations

import pytest

from otel_meta.model.units import SUFFIXES, suffix_of, suggestion_for


class TestSuffixOf:
    @pytest.mark.parametrize(
        ("unit", "suffix"),
        [("", ""), ("s", "seconds"), ("By", "bytes"), ("%", "percent"), ("d", "days")],
    )
    def test_ucum_code_has_suffix_in_prometheus(self, unit: str, suffix: str) -> None:
        """A UCUM code has a suffix in Prometheus."""
        assert suffix == suffix_of(unit)

    @pytest.mark.parametrize("unit", ["{request}", "{USD}", "{free tier}"])
    def test_annotation_has_empty_suffix(self, unit: str) -> None:
        """An annotation has an empty suffix."""
        assert "" == suffix_of(unit)

    @pytest.mark.parametrize(
        "unit",
        ["1", "ms", "min", "kBy", "{request}/s", "By{sent}", "{}", "{1}", "{a}{b}", "s ", "s\n"],
    )
    def test_unsupported_unit_has_no_suffix(self, unit: str) -> None:
        """An unsupported unit has no suffix."""
        assert suffix_of(unit) is None


class TestBetterThan:
    @pytest.mark.parametrize(
        ("unit", "better"),
        [("1", '"{ratio}"'), ("ms", '"s"'), ("h", '"s"'), ("bytes", '"By"'), ("percent", '"%"')],
    )
    def test_common_mistake_has_suggestion_of_its_own(self, unit: str, better: str) -> None:
        """A common mistake has a suggestion of its own."""
        assert better in suggestion_for(unit)

    def test_another_unsupported_unit_has_all_units_as_suggestion(self) -> None:
        """Another unsupported unit has all units as suggestion."""
        answer = suggestion_for("furlong")

        assert [] == [code for code in SUFFIXES if code not in answer]
