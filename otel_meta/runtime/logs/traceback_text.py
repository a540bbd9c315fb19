"""The text of an exception, bounded, as Python prints it: causes first, frames with source lines.

Values of local variables are not rendered: passwords or personal data must not leak. The standard
library's own renderer looks at each member of an exception group and each cause first, and bounds
the text afterwards; with a thousand members that takes half a second.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from textwrap import indent
from types import FrameType, TracebackType
from typing import Any, Final, NamedTuple

from otel_meta.runtime.interruption import class_name, own_attribute, reraise_interruption
from otel_meta.runtime.text import utf8_text

MAX_MESSAGE: Final = 4_096
"""Maximum number of characters in the message of an exception."""
MAX_TRACEBACK: Final = 16_384
"""Maximum number of characters in the text of an exception with its causes and members."""
_NOTE_LENGTH: Final = 64
"""Maximum number of characters that say how many are left out."""
MAX_FRAMES: Final = 30
"""Maximum number of frames of an exception: the first five, and the last."""
MAX_CAUSES: Final = 5
"""Maximum number of exceptions in a chain of causes and contexts."""
MAX_MEMBERS: Final = 5
"""Maximum number of rendered members of an exception group."""
MAX_GROUPS: Final = 3
"""Maximum nesting of exception groups."""
MAX_NOTES: Final = 10
"""Maximum number of notes of an exception."""
_FIRST_FRAMES: Final = 5
_CAUSE: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"
_HEADER: Final = "Traceback (most recent call last):\n"


class ExceptionText(NamedTuple):
    """An exception in the terms of OpenTelemetry's conventions."""

    type: str
    message: str
    stacktrace: str


def render_exception(error: BaseException) -> ExceptionText:
    """Render an exception, whatever its class does."""
    text = _chain(error, 0)
    if len(text) > MAX_TRACEBACK:
        end = text[-MAX_TRACEBACK + _NOTE_LENGTH :]
        text = f"[{len(text) - len(end)} more characters] ...{end}"
    return ExceptionText(_type_name(error), _message(error), utf8_text(text.rstrip("\n")))


def _chain(error: BaseException, groups: int) -> str:
    """Render an exception after its causes."""
    texts: list[str] = []
    for number, (each, separator) in enumerate(_with_causes(error)):
        is_last = number == MAX_CAUSES
        texts += (separator, "... further causes\n" if is_last else _single(each, groups))
        if is_last:
            break
    return "".join(reversed(texts))


def _with_causes(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield an exception and its causes, each with the text between cause and effect."""
    seen: set[int] = set()
    each, separator = error, ""
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each, separator
        cause = own_attribute(each, "__cause__")
        separator = _CONTEXT if cause is None else _CAUSE
        is_hidden = own_attribute(each, "__suppress_context__")
        each = cause if cause is not None or is_hidden else own_attribute(each, "__context__")


def _single(error: BaseException, groups: int) -> str:
    """Render an exception without its causes."""
    header = f"{_type_name(error)}: {_message(error)}".removesuffix(": ")
    notes = "".join(f"{note}\n" for note in _notes(error))
    frames = _frames(own_attribute(error, "__traceback__"))
    return f"{frames}{header}\n{notes}{_members(error, groups)}"


def _members(error: BaseException, groups: int) -> str:
    if not issubclass(type(error), BaseExceptionGroup):  # calls no code of the class
        return ""
    members: tuple[BaseException, ...] = vars(BaseExceptionGroup)["exceptions"].__get__(error)
    shown = members[:MAX_MEMBERS] if groups < MAX_GROUPS else ()
    texts = [
        f"  +---------------- {number}\n{indent(_chain(member, groups + 1), '    ')}"
        for number, member in enumerate(shown, 1)
    ]
    left = len(members) - len(shown)
    return "".join((*texts, f"  +---------------- {left} more\n" if left else ""))


def _frames(trace: TracebackType | None) -> str:
    frames = list(_walk(trace))
    if not frames:
        return ""
    left = len(frames) - MAX_FRAMES
    if left <= 0:
        return _HEADER + _format(frames)
    last = frames[_FIRST_FRAMES + left :]
    omitted = f"  ... {left} more frames\n"
    return f"{_HEADER}{_format(frames[:_FIRST_FRAMES])}{omitted}{_format(last)}"


def _walk(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _format(frames: list[tuple[FrameType, int]]) -> str:
    return "".join(traceback.StackSummary.extract(frames).format())


def _type_name(error: BaseException) -> str:
    module, name = class_name(error)
    return name if module in (None, "builtins", "__main__") else f"{module}.{name}"


def _message(error: BaseException) -> str:
    return _bounded(_text(error))


def _notes(error: BaseException) -> Iterator[str]:
    given: Any = own_attribute(error, "__dict__").get("__notes__", ())
    notes: Sequence[object] = given if type(given) in (list, tuple) else (given,)
    for note in notes[:MAX_NOTES]:
        yield _bounded(_text(note))
    if len(notes) > MAX_NOTES:
        yield f"... {len(notes) - MAX_NOTES} more notes"


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as fault:
        reraise_interruption(fault)
        return f"<{type(value).__name__}: {type(fault).__name__}>"


def _bounded(text: str) -> str:
    left = len(text) - MAX_MESSAGE
    more = f"... [{left} more characters]" if left > 0 else ""
    return utf8_text(str(text[:MAX_MESSAGE])) + more
