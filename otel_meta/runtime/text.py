"""Text that every export path can carry."""

from __future__ import annotations


def in_words(value: object) -> str:
    """A text for anything, in valid UTF-8: lone surrogates become question marks."""
    if type(value) is str and value.isascii():  # as most are, which then need no copy
        return value
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception as error:
        text = f"<{type(value).__name__}: {type(error).__name__}>"
    return text.encode("utf-8", "replace").decode()
