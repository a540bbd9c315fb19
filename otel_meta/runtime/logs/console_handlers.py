"""Handlers of the standard library: those that write to the console are replaced, no others."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, ClassVar, Final

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import logger

from .failed_message import call_site

WriteRecord = Callable[[logging.LogRecord], None]
_CONSOLE_FILES: Final = frozenset({"/dev/stdout", "/dev/stderr"})
_CONSOLE_DESCRIPTORS: Final = (1, 2)


class StandardHandler(logging.Handler):
    """Writes records of the standard library as lines, in place of console handlers.

    It has no lock: `LineWriter` has one, and a second one around it could be taken in another order
    by a finalizer that logs.

    Args:
        write: writes a record.
        on_close: receives the call site if `logging` is configured again, which closes handlers.
        replaced: a record is written if the level and the filters of one of these accept it.
        any_level: the levels of the replaced handlers do not matter.
    """

    def __init__(
        self,
        write: WriteRecord,
        on_close: Callable[[str], None],
        replaced: Sequence[logging.Handler],
        *,
        any_level: bool,
    ) -> None:
        super().__init__()
        self.replaced: Final = tuple(replaced)
        self._any_level: Final = any_level
        self.is_active = True
        self._write: Final = write
        self._on_close: Final = on_close

    def createLock(self) -> None:  # noqa: N802  # the base's name
        """Create no lock."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a record that the filters accept."""
        accepted = self._accepted(record)
        if accepted is not None:
            self._write(accepted)
        return accepted is not None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self._write(record)

    def close(self) -> None:
        """Note that `logging` is being configured again."""
        if self.is_active:
            self._on_close(call_site())
        super().close()

    def _accepted(self, record: logging.LogRecord) -> logging.LogRecord | None:
        if not self.replaced:
            return record
        for handler in self.replaced:
            if self._any_level or record.levelno >= handler.level:
                result = _filter(handler, record)
                if result:
                    return result if isinstance(result, logging.LogRecord) else record
        return None


class ConsoleHandlers:
    """The console handlers of this process, replaced from `take_over` to `restore`.

    `logging` can be configured again at any time, by uvicorn as it starts or by the application.
    Before the next record is handled, the console handlers are replaced again.

    Args:
        write: writes a record.
        level: the level of the root logger.
    """

    _active: ClassVar[list[ConsoleHandlers]] = []
    """The latest replaces handlers: a test captures telemetry in a process with telemetry."""

    def __init__(self, write: WriteRecord, level: int) -> None:
        self._write: Final = write
        self._level: Final = level
        self._installed: Final[list[tuple[logging.Logger, StandardHandler]]] = []
        self._is_stale = False
        self._closed_by = ""

    def install(self) -> None:
        """Replace the console handlers, and watch for a new configuration."""
        root = logging.getLogger()
        self._former_level = root.level
        self._active.append(self)
        self._former_factory, self._own_factory = logging.getLogRecordFactory(), self._create_record
        self.take_over()
        root.setLevel(self._root_level(root))
        self._own_level = root.level
        logging.setLogRecordFactory(self._own_factory)

    def take_over(self) -> None:
        """Replace all console handlers."""
        self._is_stale = False
        self._installed[:] = [each for each in self._installed if each[1] in each[0].handlers]
        root = logging.getLogger()
        self._replace(root)
        for _, each in sorted(logging.Logger.manager.loggerDict.items(), key=itemgetter(0)):
            if isinstance(each, logging.Logger):  # parents are before their children
                self._replace(each)
        self._count = len(root.handlers)
        if logger.disabled:
            logger.disabled = False
            logger.warning(
                "%s disabled existing loggers, among them otel_meta, which is enabled again; "
                "pass disable_existing_loggers=False to keep the others",
                self._closed_by or "a configuration of logging",
            )

    def restore(self) -> None:
        """Restore what was replaced, except for what was changed since."""
        root = logging.getLogger()
        self._active.remove(self)
        for owner, own in self._installed:
            own.is_active = False
            handlers = (_restored(own) if each is own else [each] for each in owner.handlers)
            owner.handlers[:] = chain.from_iterable(handlers)
        self._installed.clear()
        if root.level == self._own_level:
            root.setLevel(self._former_level)
        if logging.getLogRecordFactory() is self._own_factory:
            logging.setLogRecordFactory(self._former_factory)

    def _root_level(self, root: logging.Logger) -> int:
        """Return the level of the root logger: a handler that is kept may need a lower one."""
        others = [handler for handler in root.handlers if not is_console_handler(handler)]
        if not others or root.level == logging.NOTSET or root.level > self._level:
            return self._level
        for owner, own in self._installed:
            if owner is root:
                own.setLevel(self._level)
        return root.level

    def _replace(self, owner: logging.Logger) -> None:
        found = [each for each in owner.handlers if self._is_foreign(each)]
        is_root = owner.parent is None
        if not found and not is_root:
            return
        handlers: list[logging.Handler] = [each for each in owner.handlers if each not in found]
        if not any(self._has_own(each) for each in _path(owner)):
            own = StandardHandler(self._write, self._on_close, found, any_level=is_root)
            self._installed.append((owner, own))
            handlers.insert(owner.handlers.index(found[0]) if found else len(handlers), own)
        owner.handlers[:] = handlers

    def _is_foreign(self, handler: logging.Handler) -> bool:
        return is_console_handler(handler) and not self._is_own(handler)

    def _is_own(self, handler: logging.Handler) -> bool:
        return any(own is handler for _, own in self._installed)

    def _has_own(self, owner: logging.Logger) -> bool:
        return any(self._is_own(handler) for handler in owner.handlers)

    def _on_close(self, site: str) -> None:
        self._is_stale, self._closed_by = True, site

    def _create_record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        is_changed = self._is_stale or len(logging.root.handlers) != self._count
        if is_changed and self._active[-1:] == [self]:
            self.take_over()
        return self._former_factory(*args, **kwargs)


def is_console_handler(handler: logging.Handler) -> bool:
    """Return True if a handler writes to the console, and has no other purpose."""
    if isinstance(handler, StandardHandler):
        return True
    if isinstance(handler, logging.FileHandler):
        return handler.baseFilename in _CONSOLE_FILES
    if type(handler).__module__ == "rich.logging":
        return _is_console(getattr(getattr(handler, "console", None), "file", None))
    is_plain = getattr(type(handler), "emit", None) is logging.StreamHandler.emit
    return is_plain and _is_console(getattr(handler, "stream", None))


def _is_console(stream: Any) -> bool:
    if any(stream is each for each in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)):
        return stream is not None
    try:
        return stream.fileno() in _CONSOLE_DESCRIPTORS
    except (AttributeError, OSError, ValueError) as error:
        reraise_interruption(error)
        return False


def _path(owner: logging.Logger) -> Iterator[logging.Logger]:
    """Yield the loggers whose handlers receive the records of a logger."""
    each: logging.Logger | None = owner
    while each is not None:
        yield each
        each = each.parent if each.propagate else None


def _restored(own: StandardHandler) -> list[logging.Handler]:
    """Return the handlers to restore, without those of telemetry that was shut down meanwhile."""
    restored: list[logging.Handler] = []
    for handler in own.replaced:
        is_gone = isinstance(handler, StandardHandler) and not handler.is_active
        restored += _restored(handler) if is_gone else [handler]  # type: ignore[arg-type]
    return restored


def _filter(handler: logging.Handler, record: logging.LogRecord) -> Any:
    """Return the result of a handler's filters; True if one fails."""
    try:
        return handler.filter(record)
    except Exception as error:
        reraise_interruption(error)
        return True
