from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.environment import Environment

# Whatever an operating system lets a variable hold, invalid UTF-8 (as lone surrogates) included.
texts = st.text(st.characters(exclude_characters="\0"))
names = st.sampled_from(["A", "B", "C"])


def read(text: str | None = None) -> Environment:
    """Return an environment in which NAME has a value."""
    return Environment({} if text is None else {"NAME": text})


class TestText:
    @pytest.mark.parametrize("text", [None, "", " ", "\t\n"])
    def test_empty_variable_is_like_unset_one(self, text: str | None) -> None:
        """An empty variable is like an unset one."""
        assert read(text).text("NAME") is None

    def test_blanks_around_value_are_stripped(self) -> None:
        """Blanks around a value are stripped."""
        assert "value" == read(" value\n").text("NAME")

    @given(st.dictionaries(names, texts))
    def test_first_variable_with_value_wins(self, variables: dict[str, str]) -> None:
        """The first variable with a value wins."""
        held = [variables.get(name, "").strip() for name in "ABC"]

        assert next((h for h in held if h), None) == Environment(variables).text(*"ABC")


class TestFlag:
    @pytest.mark.parametrize(
        ("text", "flag"),
        [("true", True), ("TRUE", True), (" 1 ", True), ("off", False), ("False", False)],
    )
    def test_usual_words_for_flag_are_read_in_any_case(self, text: str, flag: bool) -> None:
        """Usual words for a flag are read in any case."""
        env = read(text)

        assert (flag, []) == (env.flag("NAME", default=not flag), env.warnings)

    @given(text=texts, default=st.booleans())
    def test_any_other_text_gives_default_and_one_warning(self, text: str, default: bool) -> None:
        """Any other text gives the default and one warning."""
        env = read(text)
        flag = env.flag("NAME", default=default)
        known = text.strip().lower() in {"true", "1", "yes", "on", "false", "0", "no", "off"}

        assert flag is default or known
        assert (0 if known or not text.strip() else 1) == len(env.warnings)

    def test_warning_has_variable_its_value_expectation_and_default(self) -> None:
        """The warning has the variable, its value, the expectation and the default."""
        env = read("maybe")
        env.flag("NAME", default=False)

        assert ["NAME holds 'maybe', which is not true or false; using False"] == env.warnings


class TestNumber:
    @given(st.floats(1, 10))
    def test_number_within_bounds_is_returned_unchanged(self, number: float) -> None:
        """A number within bounds is returned unchanged."""
        env = read(repr(number))

        assert (number, []) == (env.number("NAME", default=5, minimum=1, maximum=10), env.warnings)

    @given(texts | st.floats().map(str) | st.integers().map(str))
    def test_any_text_gives_number_within_bounds(self, text: str) -> None:
        """Any text gives a number within bounds."""
        env = read(text)
        number = env.number("NAME", default=5, minimum=1, maximum=10)

        assert 1 <= number <= 10
        assert len(env.warnings) <= 1
        assert 5 == number or not env.warnings

    @pytest.mark.parametrize("text", ["nan", "inf", "-inf", "0.99", "11", "abc", "1,5", "0x2"])
    def test_text_that_is_no_number_within_bounds_causes_warning(self, text: str) -> None:
        """A text that is no number within bounds causes a warning."""
        env = read(text)

        assert 5 == env.number("NAME", default=5, minimum=1, maximum=10)
        assert [f"NAME holds {text!r}, which is not a number from 1 to 10; using 5"] == env.warnings

    def test_invalid_first_variable_gives_default_not_second_variable(self) -> None:
        """An invalid first variable gives the default, not the second variable."""
        env = Environment({"A": "x", "B": "2"})

        assert 5 == env.number("A", "B", default=5, minimum=1, maximum=10)


class TestChoice:
    def test_known_word_is_read_in_any_case(self) -> None:
        """A known word is read in any case."""
        env = read("GRPC")

        assert "grpc" == env.choice("NAME", known=("http", "grpc"), default="http")

    @given(texts)
    def test_any_other_word_gives_default_and_warning_with_known_words(self, text: str) -> None:
        """Any other word gives the default and a warning with the known words."""
        env = read(text)
        chosen = env.choice("NAME", known=("http", "grpc"), default="http")
        fine = text.strip().lower() in {"", "http", "grpc"}

        assert chosen in {"http", "grpc"}
        assert (0 if fine else 1) == len(env.warnings)
        assert fine or "one of http, grpc; using 'http'" in env.warnings[0]


class TestNames:
    def test_blanks_empty_parts_and_repetitions_of_list_are_dropped(self) -> None:
        """Blanks, empty parts and repetitions of a list are dropped."""
        env = read(" b3 ,, baggage,b3,")

        assert ("b3", "baggage") == env.names("NAME", lambda _: True, ())

    def test_unset_list_is_default(self) -> None:
        """An unset list is the default."""
        assert ("a",) == read().names("NAME", lambda _: True, ("a",))

    def test_each_unknown_word_is_dropped_with_warning(self) -> None:
        """Each unknown word is dropped with a warning."""
        env = read("good,bad,worse")

        assert ("good",) == env.names("NAME", "good".__eq__, ("a",))
        assert [
            f"NAME holds '{word}', which is not a name that is installed; ignoring it"
            for word in ("bad", "worse")
        ] == env.warnings

    @given(texts)
    def test_any_text_gives_only_known_words(self, text: str) -> None:
        """Any text gives only known words."""
        assert set(read(text).names("NAME", {"a", "b"}.__contains__, ("a",))) <= {"a", "b"}


class TestPairs:
    def test_pairs_are_split_and_values_are_percent_decoded(self) -> None:
        """Pairs are split, and values are percent-decoded."""
        env = read("a=1, b = x%2Cy ,c=d=e,e=")

        assert {"a": "1", "b": "x,y", "c": "d=e", "e": ""} == env.pairs("NAME")
        assert [] == env.warnings

    @pytest.mark.parametrize("text", ["a", "=1", " =1", "a=1,b"])
    def test_part_that_is_no_pair_is_ignored_with_warning(self, text: str) -> None:
        """A part that is no pair is ignored with a warning."""
        env = read(text)
        env.pairs("NAME")

        assert 1 == len(env.warnings)

    @given(texts)
    def test_any_text_gives_pairs_without_empty_keys(self, text: str) -> None:
        """Any text gives pairs without empty keys."""
        assert all(key.strip() for key in read(text).pairs("NAME"))
