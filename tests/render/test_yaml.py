from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from typing import Any
from unittest.mock import patch

import yaml
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.render import _yaml
from otel_meta.render._yaml import comment, to_yaml


def _without_libyaml() -> Any:
    spec = spec_from_file_location("yaml_without_libyaml", _yaml.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with patch.object(yaml, "CSafeDumper", yaml.SafeDumper, create=True):
        spec.loader.exec_module(module)
    return module


WITHOUT_LIBYAML = _without_libyaml()


def test_keys_keep_their_order_multi_line_text_is_block() -> None:
    """Keys keep their order, multi-line text is a block, and anchors are not used."""
    twice = ["x"]
    value = {"b": "one\ntwo", "a": twice, "c": twice, "ä": "1"}

    assert "# first\n# second\nb: |-\n  one\n  two\na:\n- x\nc:\n- x\nä: '1'\n" == to_yaml(
        value, comment="first\nsecond"
    )


def test_written_documents_are_read_back_unchanged() -> None:
    """Written documents are read back unchanged."""
    value = {"text": ["yes", "1e3", "null", "a: b", "- c", "#d", "trailing \nspace", "\ttab\nx"]}

    assert value == yaml.safe_load(to_yaml(value, comment="c"))


def test_note_becomes_comment_and_changes_nothing_else() -> None:
    """A note becomes a comment and changes nothing else."""
    value = {
        **comment('It\'s "why".'),
        "a": 1,
        "list": [{**comment("Of this."), "b": 2}],
        "c": "# no",
    }
    text = to_yaml(value, comment="c")

    assert "# c\n# It's \"why\".\na: 1\nlist:\n- # Of this.\n  b: 2\nc: '# no'\n" == text
    assert {"a": 1, "list": [{"b": 2}], "c": "# no"} == yaml.safe_load(text)


KEYS = st.from_regex(r"[a-z_# .äé:'-]{1,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t"))


@given(st.dictionaries(KEYS, TEXTS | st.lists(TEXTS), min_size=1))
def test_documents_are_the_same_without_libyaml(value: dict[str, object]) -> None:
    """Documents are the same with a build of PyYAML that has no libyaml, and are read back."""
    slow = WITHOUT_LIBYAML.to_yaml(value, comment="c")

    assert slow == to_yaml(value, comment="c")
    assert value == yaml.safe_load(slow)
