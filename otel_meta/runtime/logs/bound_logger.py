"""The logger of structlog, whose methods raise no error of a log line into the application."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, cast

import structlog
from structlog import DropEvent

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.text import utf8_text

from .failed_message import MessageFault, call_site

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
_ALIASES: Final = {"warn": "warning", "fatal": "critical", "msg": "info"}
_EVENT: Final = "event"


class LineOutput:
    """The processors and the stream of all loggers of structlog in this process.

    A logger that was cached on its first use keeps its list of processors and its output. Both are
    therefore changed in place if telemetry is configured again.
    """

    def __init__(self) -> None:
        self.processors: Final[list[Any]] = []
        self.write: Callable[[bytes], None]

    def use(self, processors: Iterable[Any], write: Callable[[bytes], None]) -> None:
        """Replace the processors and the function that writes a line."""
        self.processors[:] = processors
        self.write = write


OUTPUT: Final = LineOutput()


class LineLogger:
    """The logger wrapped by structlog: every level writes the rendered line."""

    __slots__ = ("name",)
    created: Final = None
    """The time of a record of the standard library; an event of structlog happens now."""

    def __init__(self, *names: object) -> None:
        self.name = utf8_text(names[0]) if names and names[0] else "root"

    def msg(self, line: bytes | str) -> None:
        """Write a line; a text comes from a processor of the application."""
        OUTPUT.write(line if isinstance(line, bytes) else line.encode("utf-8", "replace"))

    debug = info = warning = error = critical = fatal = exception = log = msg


class _SafeMethods:
    """Methods that accept every level, every name of a field, and arguments that do not fit."""

    _faults: Faults
    _context: Any
    _logger: Any
    _processors: Any

    def _proxy_to_logger(self, method_name: str, event: object = None, /, **fields: Any) -> object:
        return self._log(method_name, event, fields)

    def _log(self, method_name: str, event: object, fields: dict[str, Any]) -> object:
        """Run the processors and write what they return, as structlog does."""
        context = self._context
        if _EVENT in context:
            fields.setdefault(f"{_EVENT}_", context[_EVENT])
        line: Any = {**context, **fields}
        if event is not None:
            line[_EVENT] = event
        logger = self._logger
        try:
            for processor in self._processors:
                line = processor(logger, method_name, line)
            write = getattr(logger, method_name)
            if type(line) is bytes:
                return write(line)
            args, kwargs = _arguments(line)
            return write(*args, **kwargs)
        except DropEvent:
            return None
        except Exception as error:
            reraise_interruption(error)
            self._faults.report("log record", type(error).__name__, f"{call_site()}: {error!r}")
            return None

    def log(self, level: int, *args: Any, **fields: Any) -> object:
        """Log at a level of any number."""
        return getattr(self, _name_of(level))(*args, **fields)

    async def alog(self, level: int, *args: Any, **fields: Any) -> object:
        """Log at a level of any number, in another thread."""
        return await getattr(self, f"a{_name_of(level)}")(*args, **fields)

    def exception(self, *args: Any, **fields: Any) -> object:
        """Log an error with the current exception."""
        return getattr(self, "error")(*args, **{"exc_info": True, **fields})  # noqa: B009

    async def aexception(self, *args: Any, **fields: Any) -> object:
        """Log an error with the current exception, in another thread."""
        if fields.get("exc_info", True) is True:
            fields["exc_info"] = sys.exc_info()
        return await getattr(self, "aerror")(*args, **fields)  # noqa: B009


def create_bound_logger(min_level: int, faults: Faults) -> type[Any]:
    """Return the class of loggers that drop lines below a level."""
    base = structlog.make_filtering_bound_logger(min_level)
    methods: dict[str, Any] = {"_faults": faults}
    for name in (name for name, level in _LEVELS.items() if level >= min_level):
        methods[name] = _method(name)
        methods[f"a{name}"] = _async_method(getattr(base, f"a{name}"))
    for alias, name in _ALIASES.items():
        methods[alias] = methods.get(name, getattr(base, alias))
        methods[f"a{alias}"] = methods.get(f"a{name}", getattr(base, f"a{alias}"))
    return type("BoundLogger", (_SafeMethods, base), methods)


def _name_of(level: int) -> str:
    names = [name for name, number in _LEVELS.items() if number <= level]
    return names[-1] if names else "debug"


def _method(name: str) -> Callable[..., object]:
    def method(self: Any, *args: Any, **fields: Any) -> object:
        return self._log(name, _take_event(self, args, fields), fields)

    return method


def _async_method(original: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    async def method(self: Any, *args: Any, **fields: Any) -> object:
        return await original(self, _take_event(self, args, fields), **fields)

    return method


def _arguments(line: object) -> tuple[Any, Mapping[str, Any]]:
    """Return the arguments of a logger of the application for what its processors return."""
    if isinstance(line, tuple):
        return cast("tuple[Any, Mapping[str, Any]]", line)
    return ((), cast("dict[str, Any]", line)) if isinstance(line, dict) else ((line,), {})


def _take_event(logger: Any, args: tuple[Any, ...], fields: dict[str, Any]) -> object:
    """Return the message; a second event and arguments that do not fit become fields."""
    if not args:
        return fields.pop(_EVENT, "")
    if _EVENT in fields:
        fields[f"{_EVENT}_"] = fields.pop(_EVENT)
    if len(args) == 1:
        return args[0]
    template, *values = args
    try:
        return template % _operand(values)
    except Exception as error:
        reraise_interruption(error)
        fault = MessageFault(template, values, error, call_site())
        fault.report(logger._faults)  # noqa: SLF001  # a method of the class, built at run time
        fields.update(fault.fields())
        return template


def _operand(values: list[Any]) -> Any:
    is_mapping = len(values) == 1 and issubclass(type(values[0]), Mapping) and bool(values[0])
    return values[0] if is_mapping else tuple(values)
