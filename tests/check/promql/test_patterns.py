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
    def test_parts(self, pattern: str, parts: list[str]) -> None:
        """Outermost bars part a pattern; bars in groups, classes and escapes do not."""
        assert parts == patterns.alternatives(pattern)

    @given(PATTERNS)
    def test_any(self, pattern: str) -> None:
        """Whatever a pattern is, it has a part."""
        assert patterns.alternatives(pattern)


class TestMatcher:
    def test_whole(self) -> None:
        """A pattern has to match all of a value."""
        test = patterns.matcher("5..")

        assert [True, False] == [test("503"), test("5030")]

    @pytest.mark.parametrize("pattern", [r"\pL", r"\z", "(", "a{9999999999999}"])
    def test_unknown(self, pattern: str) -> None:
        """What Python cannot read matches everything."""
        assert patterns.matcher(pattern)("anything")

    @given(PATTERNS, st.text("ab1", max_size=3))
    def test_never_raises(self, pattern: str, value: str) -> None:
        """Any text is read as a pattern, without a warning."""
        assert patterns.matcher(pattern)(value) in {True, False}


class TestLetThrough:
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
    def test_values(self, pattern: str, values: Values) -> None:
        """Words are listed; anything else is a value, or none where the pattern takes none."""
        assert values == patterns.matched_values(pattern)

    @pytest.mark.parametrize(
        ("pattern", "values"),
        [("a|b", ~one_of("ab")), ("a.*", ANY), (".*", PRESENT)],
    )
    def test_kept_out(self, pattern: str, values: Values) -> None:
        """The negation of words is all but them; of a pattern, anything that it may leave."""
        assert values == patterns.excluded_values(pattern)
