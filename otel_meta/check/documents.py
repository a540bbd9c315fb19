"""YAML documents as plain dictionaries, lists and strings; the one place here that imports it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

_CORE: Final = ("map", "seq", "str", "merge")


class Unreadable(Exception):
    """A file is no YAML, or cannot be read at all."""


class _Loader(yaml.SafeLoader):
    """Leaves every scalar text: ``1``, ``yes`` and dates mean nothing else in a rule file."""

    yaml_implicit_resolvers = {"<": [("tag:yaml.org,2002:merge", re.compile("<<"))]}  # noqa: RUF012  # PyYAML's
    yaml_constructors = {  # noqa: RUF012  # likewise
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in _CORE
    }


def documents(path: Path) -> list[Any]:
    """Every document of a file that is not empty.

    Raises:
        Unreadable: it cannot be read, or is no YAML.
    """
    try:
        with path.open("rb") as file:
            return [each for each in yaml.load_all(file, _Loader) if each]  # it is safe
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(f"is no YAML: {error}") from error
