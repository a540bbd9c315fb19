from __future__ import annotations

import yaml

from otel_meta.render._yaml import to_yaml


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
