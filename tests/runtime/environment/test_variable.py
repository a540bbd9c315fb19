from __future__ import annotations

from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.environment.value_kinds import (
    DURATION,
    FLAG,
    HEADERS,
    PAIRS,
    TEXT,
    TIMEOUT,
    Kind,
    choice,
    installed,
    installed_name,
    names,
    number,
    whole_number,
)
from otel_meta.runtime.environment.variable import Environment, Variable
from otel_meta.runtime.setting_variables import EXPORTERS, SAMPLER

T = TypeVar("T")

# Whatever an operating system lets a variable hold, invalid UTF-8 (as lone surrogates) included.
texts = st.text(st.characters(exclude_characters="\0"))
KINDS: list[Kind[Any]] = [
    TEXT,
    FLAG,
    number(1, 10),
    whole_number(1, 10),
    DURATION,
    TIMEOUT,
    choice("a", "b"),
    names({"a", "b"}.__contains__, "a or b"),
    PAIRS,
    HEADERS,
    installed_name("opentelemetry_propagator"),
]


def read(kind: Kind[Any], text: str, default: Any = None) -> tuple[Any, list[str]]:
    """Return the value of NAME, and the warnings."""
    env = Environment({"NAME": text})
    value: Any = env.read(Variable("NAME", kind, default, ""))
    return value, env.warnings


class TestRead:
    @pytest.mark.parametrize("text", ["", " ", "\t\n"])
    def test_empty_variable_is_like_unset_one(self, text: str) -> None:
        """An empty variable is like an unset one."""
        assert (5, []) == read(number(1, 10), text, 5)

    def test_blanks_around_value_are_stripped(self) -> None:
        """Blanks around a value are stripped."""
        assert ("value", []) == read(TEXT, " value\n")

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.expected)
    @given(text=texts)
    def test_any_text_gives_value_or_warning(self, kind: Kind[Any], text: str) -> None:
        """Any text gives a value, or a warning and the default."""
        value, warnings = read(kind, text, "the default")

        assert "the default" != value or warnings or not text.strip()

    def test_warning_has_variable_value_expectation_and_default(self) -> None:
        """The warning has the variable, its value, the expectation and the default."""
        assert (
            False,
            ["NAME holds 'maybe', which is not true or false; using false"],
        ) == read(FLAG, "maybe", default=False)

    def test_warning_of_long_value_is_short(self) -> None:
        """The warning of a long value is short."""
        _, (warning,) = read(FLAG, "x" * 10_000)

        assert 300 > len(warning)

    @pytest.mark.parametrize(
        ("kind", "text", "hint"),
        [
            (choice("none", "gzip"), "gzi", "one of none, gzip; using 'none'; did you mean gzip?"),
            (choice("none", "gzip"), "brotli", "one of none, gzip; using 'none'"),
            (EXPORTERS["metrics"].kind, "promethus", "ignoring it; did you mean prometheus?"),
            (installed("opentelemetry_propagator"), "tracecontxt", "did you mean tracecontext?"),
            (SAMPLER.kind, "traceidratios", "did you mean traceidratio?"),
        ],
    )
    def test_warning_names_nearest_known_word(self, kind: Kind[Any], text: str, hint: str) -> None:
        """The warning of a misspelt word names the nearest known word."""
        _, (warning,) = read(kind, text, "none")

        assert warning.endswith(hint)

    def test_default_of_caller_overrides_default_of_row(self) -> None:
        """The default of the caller overrides the default of the row."""
        assert 7 == Environment({}).read(Variable("NAME", DURATION, 5, ""), 7)


class TestFlag:
    @pytest.mark.parametrize(
        ("text", "flag"), [("true", True), ("TRUE", True), (" False ", False), ("false", False)]
    )
    def test_true_and_false_are_read_in_any_case(self, text: str, flag: bool) -> None:
        """True and false are read in any case."""
        assert (flag, []) == read(FLAG, text, not flag)

    @pytest.mark.parametrize("text", ["1", "yes", "on", "0"])
    def test_further_words_cause_warning(self, text: str) -> None:
        """Further words cause a warning: the specification knows true alone."""
        value, warnings = read(FLAG, text, default=False)

        assert (False, 1) == (value, len(warnings))


class TestNumber:
    @given(st.floats(1, 10))
    def test_number_within_bounds_is_returned_unchanged(self, value: float) -> None:
        """A number within bounds is returned unchanged."""
        assert (value, []) == read(number(1, 10), repr(value), 5)

    @pytest.mark.parametrize(
        "text", ["nan", "inf", "-inf", "0.99", "11", "abc", "1,5", "0x2", "1_0", "\u0665"]
    )
    def test_text_that_is_no_number_within_bounds_causes_warning(self, text: str) -> None:
        """A text that is no number within bounds causes a warning."""
        value, warnings = read(number(1, 10), text, 5)

        assert 5 == value
        assert [f"NAME holds {text!r}, which is not a number from 1 to 10; using 5"] == warnings

    @pytest.mark.parametrize("text", ["1.0", "1e1", "9" * 30, "-1", "0", "11"])
    def test_text_that_is_no_whole_number_within_bounds_causes_warning(self, text: str) -> None:
        """A text that is no whole number within bounds causes a warning."""
        value, warnings = read(whole_number(1, 10), text, 5)

        assert (5, 1) == (value, len(warnings))

    def test_timeout_of_zero_means_no_limit(self) -> None:
        """A timeout of zero means no limit, which is a day."""
        assert (86_400_000, []) == read(TIMEOUT, "0", 5)


class TestChoice:
    def test_known_word_is_read_in_any_case(self) -> None:
        """A known word is read in any case."""
        assert ("grpc", []) == read(choice("http", "grpc"), "GRPC")

    def test_other_word_causes_warning_with_known_words(self) -> None:
        """Any other word causes a warning with the known words."""
        _, (warning,) = read(choice("http", "grpc"), "pigeon", "http")

        assert "one of http, grpc; using 'http'" in warning


class TestNames:
    def test_blanks_empty_parts_and_repetitions_of_list_are_dropped(self) -> None:
        """Blanks, empty parts and repetitions of a list are dropped."""
        assert (("b3", "baggage"), []) == read(names(bool, "a name"), " b3 ,, baggage,b3,")

    def test_each_unknown_word_is_dropped_with_warning(self) -> None:
        """Each unknown word is dropped with a warning."""
        known, warnings = read(names("good".__eq__, "a known name"), "good,bad,worse")

        assert ("good",) == known
        assert [
            f"NAME holds '{word}', which is not a known name; ignoring it"
            for word in ("bad", "worse")
        ] == warnings

    def test_default_is_used_if_no_word_is_known(self) -> None:
        """The default is used if no word is known."""
        known, warnings = read(names("good".__eq__, "a known name"), "bad", ("default",))

        assert (("default",), 1) == (known, len(warnings))


class TestPairs:
    def test_pairs_are_split_and_percent_decoded(self) -> None:
        """Pairs are split and percent-decoded."""
        expected = {"a": "1", "b": "x,y", "c": "d=e", "e": "", "k,": "v"}

        assert (expected, []) == read(PAIRS, "a=1, b = x%2Cy ,c=d=e,e=,k%2C=v")

    @pytest.mark.parametrize("text", ["a", "=1", " =1", "a=1,b"])
    def test_part_that_is_no_pair_is_ignored_with_warning(self, text: str) -> None:
        """A part that is no pair is ignored with a warning."""
        assert 1 == len(read(PAIRS, text)[1])

    @pytest.mark.parametrize(
        "text", ["token", "api key=secret", "api-key=a%0Ab", "api-key=\u20ac", "=secret"]
    )
    def test_invalid_header_is_ignored_and_its_value_is_in_no_warning(self, text: str) -> None:
        """An invalid header is ignored, and its value is in no warning."""
        headers, (warning,) = read(HEADERS, f"tenant=a,{text}")

        assert {"tenant": "a"} == headers
        assert "NAME holds a value, which is not name=value" in warning
        assert "secret" not in warning
