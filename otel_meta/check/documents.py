"""YAML documents as dictionaries, lists and strings that know their place in the file.

Only this file imports PyYAML here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from .finding import UNKNOWN_PLACE, Place

_CORE: Final = ("seq", "merge")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_BLOCK: Final = re.compile(r"[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\n[ \t]*")


class UnreadableFile(Exception):
    """The file is not YAML, or cannot be read."""

    def __init__(self, message: str, place: Place = UNKNOWN_PLACE) -> None:
        super().__init__(message)
        self.place = place


class Text(str):
    """A scalar with its place and its spelling in the file."""

    __slots__ = ("source", "start")

    start: Place
    source: str

    def place_of(self, part: str) -> Place:
        """Return the place of the first occurrence of a part, or the start of the text."""
        found = _occurrence(part, self.source) or _BLOCK.match(self.source)
        at = found.end() if found and found.re is _BLOCK else found.start() if found else 0
        before = self.source[:at]
        if "\n" not in before:
            return Place(self.start.line, self.start.column + at)
        return Place(self.start.line + before.count("\n"), at - before.rindex("\n"))


class Fields(dict[Any, Any]):
    """A mapping with its place in the file."""

    start: Place


if TYPE_CHECKING:
    _SafeLoader = yaml.SafeLoader
else:  # libyaml, which most builds of PyYAML have, takes an eighth of the time
    _SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _text_of(loader: Any, node: yaml.ScalarNode) -> Text:
    """Return a scalar with its place."""
    text = Text(loader.construct_scalar(node))
    text.start = _place(node.start_mark)
    text.source = loader.text[node.start_mark.index : node.end_mark.index]
    return text


def _fields_of(loader: Any, node: yaml.MappingNode) -> Iterator[Fields]:
    """Yield a mapping with its place, first empty because a part of it may refer to it."""
    fields = Fields()
    fields.start = _place(node.start_mark)
    yield fields
    fields.update(loader.construct_mapping(node))


class _Placed:
    """Leaves every scalar a string: in a rule file, ``1``, ``yes`` and dates are text."""

    yaml_implicit_resolvers: Any = {"<": [("tag:yaml.org,2002:merge", re.compile("<<"))]}  # noqa: RUF012  # PyYAML's
    yaml_constructors: Any = {  # likewise
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in _CORE
    } | {"tag:yaml.org,2002:str": _text_of, "tag:yaml.org,2002:map": _fields_of}

    def __init__(self, text: str) -> None:
        super().__init__(text)  # type: ignore[call-arg]  # the loader's, which is the next class
        self.text = text


class _Loader(_Placed, yaml.SafeLoader):
    """The loader of PyYAML alone."""


class _FastLoader(_Placed, _SafeLoader):
    """The same loader with libyaml."""


def load_documents(path: Path) -> list[Any]:
    """Load every document of a file, except empty documents.

    Raises:
        UnreadableFile: the file cannot be read, or is not YAML.
    """
    try:
        return _documents(_decoded(path))
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark) if error.problem_mark else UNKNOWN_PLACE
        raise UnreadableFile(f"is not YAML: {error}", place) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableFile(f"is not YAML: {error}") from error


def _documents(text: str) -> list[Any]:
    try:
        return [document for document in yaml.load_all(text, _FastLoader) if document]
    except yaml.YAMLError:  # again, because PyYAML's own parser knows the place better
        return [document for document in yaml.load_all(text, _Loader) if document]


def place_in(text: str, part: str = "") -> Place:
    """Return the place of a part of a scalar; unknown for a string from elsewhere."""
    return text.place_of(part) if isinstance(text, Text) else UNKNOWN_PLACE


def place_of_fields(fields: object) -> Place:
    """Return the place of a mapping or a scalar; unknown for a value of another type."""
    return fields.start if isinstance(fields, Fields | Text) else UNKNOWN_PLACE


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    return raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig")


def _place(mark: yaml.Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _occurrence(part: str, source: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", source) if part else None
