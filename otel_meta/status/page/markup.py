"""Elements of HTML and SVG. Every text is escaped, wherever the text is from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from hashlib import blake2s
from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "input", "link", "meta"})
_NOT_IN_ID: Final = re.compile(r"[^a-z0-9]+")


class Markup(str):
    """Markup that is escaped already."""

    __slots__ = ()


_NOTHING: Final = Markup()

Content = str | None | Iterable["Content"]
"""The inside of an element: texts, which are escaped, markup, and nested contents."""
Value = str | float | bool | None
"""The value of an attribute: True is the name alone, False and None leave the attribute out."""


def element(name: str, /, *inside: Content, **attributes: Value) -> Markup:
    """Return an element; ``class_`` and ``aria_label`` are the attributes class and aria-label."""
    parts = [_attribute(key, value) for key, value in attributes.items()]
    opening = f"<{name}{''.join(parts)}>"
    return Markup(opening if name in _VOID else f"{opening}{joined(inside)}</{name}>")


def joined(content: Content) -> Markup:
    """Return contents side by side."""
    if content is None or isinstance(content, Markup):
        return content or _NOTHING
    if isinstance(content, str):
        return Markup(escape(content))
    return Markup("".join([joined(part) for part in content]))


def unique_id(kind: str, name: str, *more: str) -> str:
    """Return an id with a name, which further texts tell apart from the same name elsewhere."""
    digest = blake2s(repr((name, more)).encode(), digest_size=3).hexdigest()
    return f"{kind}-{_NOT_IN_ID.sub('-', name.lower())}-{digest}"


def _attribute(key: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {_attribute_name(key)}"
    text = escape(value) if isinstance(value, str) else format(value, ".6g")
    return f' {_attribute_name(key)}="{text}"'


@cache
def _attribute_name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
