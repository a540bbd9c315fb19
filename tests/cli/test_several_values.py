"""Options that take several values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from typer.core import TyperOption

from otel_meta.cli.command_group import load_command
from otel_meta.cli.several_values import spread

PARAMETERS = load_command("check").params
VALUES = st.lists(st.sampled_from(["a.yml", "b c", "x=1", "mysql_*"]), min_size=1, max_size=3)


def spread_words(*words: str) -> list[str]:
    """Return the spread words of the command check."""
    return [*spread(words, PARAMETERS)]


@given(VALUES, VALUES)
def test_option_stands_before_each_value(first: list[str], second: list[str]) -> None:
    """The option stands before each of its values."""
    words = spread_words("--rules", *first, "--json", "--label", *second)
    expected = [each for value in first for each in ("--rules", value)]
    expected += ["--json", *(each for value in second for each in ("--label", value))]

    assert expected == words


def test_value_after_equals_sign_is_first() -> None:
    """The value after an equals sign is the first, and others may follow."""
    assert ["--rules=a", "--rules", "b"] == spread_words("--rules=a", "b")


def test_option_of_one_value_takes_one() -> None:
    """A value after that of an option of one value belongs to no option."""
    assert ["--config", "a", "b"] == spread_words("--config", "a", "b")


def test_words_after_two_dashes_are_unchanged() -> None:
    """The words after two dashes are unchanged."""
    words = ["--rules", "a", "--", "--rules", "b", "c"]

    assert words == spread_words(*words)


def test_options_of_several_values_are_repeatable() -> None:
    """The parser knows every option of several values as one that may be repeated."""
    several = [each for each in PARAMETERS if (each.metavar or "").endswith("...")]

    assert ["--rules", "--label", "--metric"] == [each.opts[-1] for each in several]
    assert [] == [e.name for e in several if not (isinstance(e, TyperOption) and e.multiple)]
