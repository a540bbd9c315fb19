"""YAML documents as plain dictionaries, lists and strings; only this file imports PyYAML here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

_CORE: Final = ("map", "seq", "str", "merge")


class UnreadableFile(Exception):
    """The file is not YAML, or cannot be read."""


class _Loader(yaml.SafeLoader):
    """Leaves every scalar a string: in a rule file, ``1``, ``yes`` and dates are text."""

    yaml_implicit_resolvers = {"<": [("tag:yaml.org,2002:merge", re.compile("<<"))]}  # noqa: RUF012  # PyYAML's
    yaml_constructors = {  # noqa: RUF012  # likewise
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in _CORE
    }


def load_documents(path: Path) -> list[Any]:
    """Load every document of a file, except empty documents.

    Raises:
        UnreadableFile: the file cannot be read, or is not YAML.
    """
    try:
        with path.open("rb") as file:
            loaded = yaml.load_all(file, _Loader)  # a subclass of SafeLoader
            return [document for document in loaded if document]
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableFile(f"is not YAML: {error}") from error
