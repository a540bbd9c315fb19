from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.check.promql import patterns
from otel_meta.check.promql.values import ANY, PRESENT, Values, one_of

PATTERNS = st.text(r"ab|()[]^$.*+?\{},-:1", max_size=10)


class TestAlternatives:
    @pytest.mark.parametrize(
        ("pattern", "parts"),
        [
            ("a", ["a"]),
            ("a|b", ["a", "b"]),
            ("(a|b)", ["a", "b"]),
            ("(?:a|b)", ["a", "b"]),
            ("^(a|b)$", ["a", "b"]),
            ("^a|b$", ["^a", "b$"]),
            ("(a)|(b)", ["(a)", "(b)"]),
            ("(a|b)c", ["(a|b)c"]),
            ("(a)(b)", ["(a)(b)"]),
            (r"a\|b", [r"a\|b"]),
            ("[a|b]", ["[a|b]"]),
            (r"1(\.0)?", [r"1(\.0)?"]),
            ("(?i)a", ["(?i)a"]),
            ("", [""]),
        ],
    )
    def test_only_outermost_bars_split_pattern(self, pattern: str, parts: list[str]) -> None:
        """Only the outermost bars split a pattern."""
        assert parts == patterns.alternatives(pattern)

    @given(PATTERNS)
    def test_every_pattern_has_part(self, pattern: str) -> None:
        """Every pattern has a part."""
        assert patterns.alternatives(pattern)


class TestMatcher:
    def test_pattern_matches_whole_values(self) -> None:
        """A pattern matches whole values."""
        test = patterns.matcher("5..")

        assert [True, False] == [test("503"), test("5030")]

    @pytest.mark.parametrize("pattern", [r"\pL", "(", "a{9999999999999}"])
    def test_pattern_that_python_cannot_compile_matches_everything(self, pattern: str) -> None:
        """A pattern that Python cannot compile matches everything."""
        assert patterns.matcher(pattern)("anything")

    @given(PATTERNS, st.text("ab1", max_size=3))
    def test_any_text_is_compiled_without_exception_or_warning(
        self, pattern: str, value: str
    ) -> None:
        """Any text is compiled without an exception or a warning."""
        assert patterns.matcher(pattern)(value) in {True, False}


class TestMatchedValues:
    @pytest.mark.parametrize(
        ("pattern", "values"),
        [
            ("a|b", one_of("ab")),
            (r"a\.b", one_of(["a.b"])),
            ("a|", one_of(["a", ""])),
            ("a.*", PRESENT),
            (".*", ANY),
            (r"\d", PRESENT),
        ],
    )
    def test_literal_alternatives_are_listed_other_patterns_are_superset(
        self, pattern: str, values: Values
    ) -> None:
        """Literal alternatives are listed, other patterns are a superset."""
        assert values == patterns.matched_values(pattern)

    @pytest.mark.parametrize(
        ("pattern", "values"),
        [("a|b", ~one_of("ab")), ("a.*", ANY), (".*", PRESENT)],
    )
    def test_negated_pattern_excludes_only_literal_alternatives(
        self, pattern: str, values: Values
    ) -> None:
        """A negated pattern excludes only literal alternatives."""
        assert values == patterns.excluded_values(pattern)
