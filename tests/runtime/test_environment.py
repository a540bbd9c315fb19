from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.environment import Environment

# Whatever an operating system lets a variable hold, invalid UTF-8 (as lone surrogates) included.
texts = st.text(st.characters(exclude_characters="\0"))
names = st.sampled_from(["A", "B", "C"])


def read(text: str | None = None) -> Environment:
    """An environment in which NAME holds this."""
    return Environment({} if text is None else {"NAME": text})


class TestText:
    @pytest.mark.parametrize("text", [None, "", " ", "\t\n"])
    def test_empty(self, text: str | None) -> None:
        """An empty variable is as good as none."""
        assert read(text).text("NAME") is None

    def test_stripped(self) -> None:
        """Blanks around a value are none of it."""
        assert "value" == read(" value\n").text("NAME")

    @given(st.dictionaries(names, texts))
    def test_first(self, variables: dict[str, str]) -> None:
        """The first of several that is set and not empty wins."""
        held = [variables.get(name, "").strip() for name in "ABC"]

        assert next((h for h in held if h), None) == Environment(variables).text(*"ABC")


class TestFlag:
    @pytest.mark.parametrize(
        ("text", "flag"),
        [("true", True), ("TRUE", True), (" 1 ", True), ("off", False), ("False", False)],
    )
    def test_known(self, text: str, flag: bool) -> None:
        """Usual words are understood, in whatever case."""
        env = read(text)

        assert (flag, []) == (env.flag("NAME", default=not flag), env.warnings)

    @given(text=texts, default=st.booleans())
    def test_any(self, text: str, default: bool) -> None:
        """Anything else falls back with one warning, and never raises."""
        env = read(text)
        flag = env.flag("NAME", default=default)
        known = text.strip().lower() in {"true", "1", "yes", "on", "false", "0", "no", "off"}

        assert flag is default or known
        assert (0 if known or not text.strip() else 1) == len(env.warnings)

    def test_words(self) -> None:
        """The warning names the variable, what it holds, what is wanted and what is used."""
        env = read("maybe")
        env.flag("NAME", default=False)

        assert ["NAME holds 'maybe', which is not true or false; using False"] == env.warnings


class TestNumber:
    @given(st.floats(1, 10))
    def test_known(self, number: float) -> None:
        """A number within its bounds is taken as it is."""
        env = read(repr(number))

        assert (number, []) == (env.number("NAME", default=5, minimum=1, maximum=10), env.warnings)

    @given(texts | st.floats().map(str) | st.integers().map(str))
    def test_any(self, text: str) -> None:
        """Whatever a variable holds, the number is within bounds, or the default with a warning."""
        env = read(text)
        number = env.number("NAME", default=5, minimum=1, maximum=10)

        assert 1 <= number <= 10
        assert len(env.warnings) <= 1
        assert 5 == number or not env.warnings

    @pytest.mark.parametrize("text", ["nan", "inf", "-inf", "0.99", "11", "abc", "1,5", "0x2"])
    def test_invalid(self, text: str) -> None:
        """What is no number within its bounds is warned of."""
        env = read(text)

        assert 5 == env.number("NAME", default=5, minimum=1, maximum=10)
        assert [f"NAME holds {text!r}, which is not a number from 1 to 10; using 5"] == env.warnings

    def test_more_names(self) -> None:
        """The first variable that is set decides, and a bad one is not passed over."""
        env = Environment({"A": "x", "B": "2"})

        assert 5 == env.number("A", "B", default=5, minimum=1, maximum=10)


class TestChoice:
    def test_known(self) -> None:
        """A known word is taken, in whatever case."""
        env = read("GRPC")

        assert "grpc" == env.choice("NAME", known=("http", "grpc"), default="http")

    @given(texts)
    def test_any(self, text: str) -> None:
        """Anything else falls back with one warning that lists what is known."""
        env = read(text)
        chosen = env.choice("NAME", known=("http", "grpc"), default="http")
        fine = text.strip().lower() in {"", "http", "grpc"}

        assert chosen in {"http", "grpc"}
        assert (0 if fine else 1) == len(env.warnings)
        assert fine or "one of http, grpc; using 'http'" in env.warnings[0]


class TestNames:
    def test_list(self) -> None:
        """A comma list is taken apart; blanks, empty parts and repetitions are dropped."""
        env = read(" b3 ,, baggage,b3,")

        assert ("b3", "baggage") == env.names("NAME", lambda _: True, ())

    def test_unset(self) -> None:
        """Nothing set is the default."""
        assert ("a",) == read().names("NAME", lambda _: True, ("a",))

    def test_some(self) -> None:
        """Words that are not known are left out, each with a warning."""
        env = read("good,bad,worse")

        assert ("good",) == env.names("NAME", "good".__eq__, ("a",))
        assert [
            f"NAME holds '{word}', which is not a name that is installed; ignoring it"
            for word in ("bad", "worse")
        ] == env.warnings

    @given(texts)
    def test_any(self, text: str) -> None:
        """Whatever is there, only known words come out."""
        assert set(read(text).names("NAME", {"a", "b"}.__contains__, ("a",))) <= {"a", "b"}


class TestPairs:
    def test_pairs(self) -> None:
        """Keys and percent-encoded values are taken apart."""
        env = read("a=1, b = x%2Cy ,c=d=e,e=")

        assert {"a": "1", "b": "x,y", "c": "d=e", "e": ""} == env.pairs("NAME")
        assert [] == env.warnings

    @pytest.mark.parametrize("text", ["a", "=1", " =1", "a=1,b"])
    def test_invalid(self, text: str) -> None:
        """A part that is no pair is ignored with a warning."""
        env = read(text)
        env.pairs("NAME")

        assert 1 == len(env.warnings)

    @given(texts)
    def test_any(self, text: str) -> None:
        """Whatever is there, keys are not empty and nothing is raised."""
        assert all(key.strip() for key in read(text).pairs("NAME"))
