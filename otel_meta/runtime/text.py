"""Text in valid UTF-8, for every export path."""

from __future__ import annotations

from .interruption import reraise_interruption


def utf8_text(value: object) -> str:
    """Return a string, or the `repr` of a value, in valid UTF-8.

    A lone surrogate becomes a question mark. If `repr` raises, the text has the
    types of value and error.
    """
    if type(value) is str and value.isascii():  # the common case needs no copy
        return value
    try:
        text = value if isinstance(value, str) else f"{value!r}"
    except Exception as error:
        reraise_interruption(error)
        text = f"<{type(value).__name__}: {type(error).__name__}>"
    return text.encode("utf-8", "replace").decode()
