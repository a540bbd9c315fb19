"""YAML documents with a stable order and readable expressions; only this file imports PyYAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

_ESCAPED: Final = "\\U00"
"""In the output of libyaml, which escapes emoji; PyYAML's own emitter does not."""
_COMMENT_KEY: Final = re.compile(r"^( *(?:- )*)'# (.*)': null$", re.MULTILINE)


if TYPE_CHECKING:
    _SafeDumper = yaml.SafeDumper
else:  # libyaml, which most builds of PyYAML have, takes a ninth of the time
    _SafeDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Plain:
    """Writes repeated values in full, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the name is PyYAML's
        return True


class _Dumper(_Plain, yaml.SafeDumper):
    """Writes text of several lines as a literal block."""


class _FastDumper(_Plain, _SafeDumper):
    """The same dumper with libyaml."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_block = "\n" in text and not text.isspace()  # libyaml writes blank lines wrong
    style = "|" if is_block else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)  # no subclass


for _each in (_Dumper, _FastDumper):
    _each.add_representer(str, _text)
    _each.add_multi_representer(str, _text)


def _dump(value: Any, dumper: type[yaml.SafeDumper]) -> str:
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=10**6)
    return text


def comment(text: str) -> dict[str, None]:
    """Return a comment for the line above the next key: ``{**comment("Why."), "key": 1}``."""
    return {f"# {text}": None}


def to_yaml(value: Any, *, comment: str) -> str:
    """Return a document with a comment at its top."""
    body = _dump(value, _FastDumper)
    if _ESCAPED in body:
        body = _dump(value, _Dumper)
    return "".join(f"# {line}\n" for line in comment.splitlines()) + _COMMENT_KEY.sub(
        _as_comment, body
    )


def _as_comment(found: re.Match[str]) -> str:
    text = found[2].replace("''", "'")  # as PyYAML doubles them
    return f"{found[1]}# {text}"
