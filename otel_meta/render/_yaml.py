"""YAML documents with a stable order and readable expressions; only this file imports PyYAML."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_COMMENT_KEY: Final = re.compile(r"^( *(?:- )*)'# (.*)': null$", re.MULTILINE)


class _Dumper(yaml.SafeDumper):
    """Keeps the order of keys, and writes text of several lines as a literal block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the name is PyYAML's
        """Write repeated values in full, without anchors."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(str, _text)


def comment(text: str) -> dict[str, None]:
    """Return a comment for the line above the next key: ``{**comment("Why."), "key": 1}``."""
    return {f"# {text}": None}


def to_yaml(value: Any, *, comment: str) -> str:
    """Return a document with a comment at its top."""
    body = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    return "".join(f"# {line}\n" for line in comment.splitlines()) + _COMMENT_KEY.sub(
        _as_comment, body
    )


def _as_comment(found: re.Match[str]) -> str:
    text = found[2].replace("''", "'")  # as PyYAML doubles them
    return f"{found[1]}# {text}"
