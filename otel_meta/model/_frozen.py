"""Constructors of frozen dataclasses with converted arguments."""

from __future__ import annotations


def set_fields(value: object, /, **fields: object) -> None:
    """Set fields of a frozen dataclass. Only for use in the ``__init__`` of the dataclass."""
    for name, content in fields.items():
        object.__setattr__(value, name, content)
