"""YAML with a stable order and readable expressions; the one place that imports it."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_NOTE: Final = re.compile(r"^( *(?:- )*)'# (.*)': null$", re.MULTILINE)


class _Dumper(yaml.SafeDumper):
    """Keeps the order of keys, and writes what has several lines as a literal block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the name is PyYAML's
        """Write what occurs twice out twice."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def note(text: str) -> dict[str, None]:
    """A line of comment above what follows it: ``{**note("Why."), "key": 1}``."""
    return {f"# {text}": None}


def to_yaml(value: Any, *, comment: str) -> str:
    """A document with a comment above it."""
    body = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    return "".join(f"# {line}\n" for line in comment.splitlines()) + _NOTE.sub(_as_comment, body)


def _as_comment(found: re.Match[str]) -> str:
    text = found[2].replace("''", "'")  # as PyYAML doubles them
    return f"{found[1]}# {text}"
