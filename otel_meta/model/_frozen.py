"""Setting the fields of a frozen value whose constructor accepts more than it stores."""

from __future__ import annotations


def set_fields(value: object, **fields: object) -> None:
    """Set fields of a frozen dataclass; for use in its own ``__init__`` only."""
    for name, content in fields.items():
        object.__setattr__(value, name, content)
