"""A generated file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Artifact:
    """The path and the text of one generated file."""

    path: PurePosixPath
    text: str
