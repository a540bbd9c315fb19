from __future__ import annotations

import yaml

from otel_meta.render._yaml import note, to_yaml


def test_text() -> None:
    """Keys keep their order, several lines become a block, and what occurs twice is written out."""
    twice = ["x"]
    value = {"b": "one\ntwo", "a": twice, "c": twice, "ä": "1"}

    assert "# first\n# second\nb: |-\n  one\n  two\na:\n- x\nc:\n- x\nä: '1'\n" == to_yaml(
        value, comment="first\nsecond"
    )


def test_round_trip() -> None:
    """What was written is read back as it was, however it looks."""
    value = {"text": ["yes", "1e3", "null", "a: b", "- c", "#d", "trailing \nspace", "\ttab\nx"]}

    assert value == yaml.safe_load(to_yaml(value, comment="c"))


def test_note() -> None:
    """A note becomes a comment where it stands, and nothing else of the document changes."""
    value = {**note('It\'s "why".'), "a": 1, "list": [{**note("Of this."), "b": 2}], "c": "# no"}
    text = to_yaml(value, comment="c")

    assert "# c\n# It's \"why\".\na: 1\nlist:\n- # Of this.\n  b: 2\nc: '# no'\n" == text
    assert {"a": 1, "list": [{"b": 2}], "c": "# no"} == yaml.safe_load(text)
