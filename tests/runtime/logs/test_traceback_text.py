from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from otel_meta.runtime.logs.traceback_text import (
    MAX_CAUSES,
    MAX_FRAMES,
    MAX_MESSAGE,
    MAX_TRACEBACK,
    render_exception,
)


def caught(error: BaseException, frames: int = 0) -> Any:
    """Raise an exception below a number of frames, and return it."""

    def fall(left: int) -> None:
        if not left:
            raise error
        fall(left - 1)

    try:
        fall(frames)
    except BaseException as raised:  # noqa: BLE001  # any exception
        return raised


def group(members: int) -> Any:
    """Return a group of raised exceptions."""
    return caught(ExceptionGroup("many", [caught(ValueError(n), 40) for n in range(members)]), 40)


def nested_groups(levels: int) -> Any:
    """Return a group in a group in a group."""
    error: Exception = ValueError("innermost")
    for _ in range(levels):
        error = ExceptionGroup("outer", [error] * 3)
    return caught(error)


def chain(length: int) -> Any:
    """Return an exception with causes."""
    cause = None
    for number in range(length):
        error = caught(ValueError(number), 5)
        error.__cause__, cause = cause, error
    return cause


def cycle() -> Any:
    """Return exceptions that are the cause of each other."""
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    return first


def endless() -> Any:
    """Return the error of an endless recursion."""

    def call() -> None:
        call()

    try:
        call()
    except RecursionError as error:
        return error


class NoText(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class NoAttribute(Exception):
    """An exception whose unknown attributes raise."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class NoAttributes(Exception):
    """An exception whose attributes raise."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


def noted(notes: Any) -> Any:
    """Return an exception with notes of any type."""
    error = ValueError("said")
    error.__notes__ = notes
    return caught(error)


class TestText:
    def test_traceback_has_frames_with_source_lines_and_message(self) -> None:
        """A traceback has frames with source lines, and the message at its end."""
        kind, message, stacktrace = render_exception(caught(ValueError("said")))

        assert ("ValueError", "said") == (kind, message)
        assert "Traceback (most recent call last):" == stacktrace.splitlines()[0]
        assert ", in fall\n    raise error\n" in stacktrace
        assert "ValueError: said" == stacktrace.splitlines()[-1]

    def test_class_of_module_has_full_name(self) -> None:
        """A class of a module has its full name."""
        assert f"{__name__}.NoText" == render_exception(NoText()).type

    def test_causes_come_first_with_separators_of_python(self) -> None:
        """Causes come first, with the separators of Python."""
        lines = render_exception(chain(3)).stacktrace.splitlines()

        assert ["ValueError: 0", "ValueError: 1", "ValueError: 2"] == [
            line for line in lines if line.startswith("ValueError")
        ]
        assert 2 == lines.count(
            "The above exception was the direct cause of the following exception:"
        )

    def test_context_is_rendered_unless_suppressed(self) -> None:
        """The context of an exception is rendered, unless it was suppressed."""
        error = ValueError("outer")
        error.__context__ = KeyError("inner")

        assert "KeyError" in render_exception(error).stacktrace
        error.__suppress_context__ = True
        assert "KeyError" not in render_exception(error).stacktrace

    def test_members_of_group_are_rendered_below_it(self) -> None:
        """The members of a group are rendered below it, indented."""
        lines = render_exception(group(2)).stacktrace.splitlines()

        assert lines.index("ExceptionGroup: many (2 sub-exceptions)") < lines.index(
            "    ValueError: 0"
        )

    def test_notes_are_below_message(self) -> None:
        """Notes are below the message."""
        assert render_exception(noted(["first", "second"])).stacktrace.endswith(
            "ValueError: said\nfirst\nsecond"
        )


class TestBounds:
    @pytest.mark.parametrize(
        "create",
        [
            lambda: group(1000),
            lambda: nested_groups(8),
            lambda: nested_groups(500),
            lambda: chain(3000),
            lambda: caught(ValueError("x" * 10**7)),
            lambda: noted(["n" * 1000] * 1000),
            cycle,
            endless,
        ],
        ids=["group", "groups", "deep", "chain", "message", "notes", "cycle", "recursion"],
    )
    def test_text_is_bounded_and_cheap(self, create: Callable[[], Any]) -> None:
        """The text of a large exception is bounded, and costs a few milliseconds."""
        error = create()
        render_exception(error)  # reads the source lines
        began = time.process_time()
        text = render_exception(error)
        milliseconds = 1000 * (time.process_time() - began)

        assert len(text.stacktrace) <= MAX_TRACEBACK + 100
        assert len(text.message) <= MAX_MESSAGE + 100
        assert milliseconds < 50

    def test_frames_causes_and_members_left_out_are_counted(self) -> None:
        """Frames, causes and members that were left out are counted in the text."""
        assert f"... {41 - MAX_FRAMES} more frames" in _text(caught(ValueError("x"), 39))
        assert "... further causes" in _text(chain(MAX_CAUSES + 1))
        assert "further" not in _text(chain(MAX_CAUSES))
        assert "995 more" in _text(group(1000))

    def test_end_of_traceback_is_kept(self) -> None:
        """The end of a traceback is kept: it names the error."""
        text = _text(nested_groups(3))

        assert "innermost" in text.splitlines()[-1] or "more" in text.splitlines()[-1]


class TestHostile:
    @pytest.mark.parametrize(
        ("create", "name"),
        [
            (lambda: caught(NoText()), "NoText"),
            (lambda: caught(NoAttribute()), "NoAttribute"),
            (lambda: caught(NoAttributes()), "NoAttributes"),
            (lambda: noted(5), "ValueError: said\n5"),
            (lambda: noted([NoText()]), "<NoText: RuntimeError>"),
            (lambda: noted(None), "ValueError"),
            (lambda: caught(ValueError("\ud800")), "ValueError: ?"),
            (lambda: caught(ExceptionGroup("g", [NoText(), NoAttributes()])), "NoAttributes"),
            (lambda: ValueError("never raised"), "ValueError"),
            (lambda: caught(KeyboardInterrupt()), "KeyboardInterrupt"),
        ],
    )
    def test_every_exception_has_text(self, create: Callable[[], Any], name: str) -> None:
        """Every exception has a text in UTF-8."""
        assert name in render_exception(create()).stacktrace.encode().decode()

    def test_message_whose_text_raises_is_rendered_as_its_class(self) -> None:
        """A message whose text raises is rendered as its class and error."""
        assert "<NoText: RuntimeError>" == render_exception(NoText()).message


def _text(error: BaseException) -> str:
    return render_exception(error).stacktrace
