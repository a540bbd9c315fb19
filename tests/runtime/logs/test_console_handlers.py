from __future__ import annotations

import io
import json
import logging
import logging.handlers
import queue
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from rich.logging import RichHandler

from otel_meta.runtime.logs.console_handlers import is_console_handler
from otel_meta.testing import capture

if TYPE_CHECKING:
    from tests.conftest import Run

PROGRAM = """
import logging, logging.config, logging.handlers, sys, warnings
import structlog
import otel_meta

root = logging.getLogger()
shop = logging.getLogger("shop")

{before}
telemetry = otel_meta.configure("shop", set_global=False)
{after}
shop.warning("said")
structlog.get_logger("shop").warning("said by structlog")
telemetry.shutdown()
"""
CONFIG = """
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"f": {"format": "%(asctime)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "f"}},
    "root": {"handlers": ["console"], "level": "INFO"},
})
"""


class Collecting(logging.Handler):
    """A handler of the application, as Sentry or an audit has one."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.said.append(record.getMessage())


class Notifying(logging.StreamHandler[Any]):
    """A stream handler that does something else with a record."""

    def emit(self, record: logging.LogRecord) -> None:
        """Do nothing."""


class Redacting(logging.Filter):
    """A filter that changes records, and drops some."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Remove a word."""
        record.msg = str(record.msg).replace("hunter2", "***")
        return "drop" not in record.msg


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, restored at the end."""
    root = logging.getLogger()
    handlers, level = root.handlers.copy(), root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def audit() -> Iterator[logging.Logger]:
    """A logger with handlers of its own, which does not propagate."""
    audit = logging.getLogger("audit")
    audit.propagate = False
    yield audit
    audit.handlers.clear()
    audit.propagate = True
    audit.setLevel(logging.NOTSET)


class TestKind:
    @pytest.mark.parametrize(
        ("create", "is_console"),
        [
            (lambda _: logging.StreamHandler(), True),
            (lambda _: logging.StreamHandler(sys.__stdout__), True),
            (lambda _: logging.FileHandler("/dev/stdout", delay=True), True),
            (lambda _: RichHandler(console=Console(file=sys.stderr)), True),
            (lambda _: RichHandler(console=Console(file=io.StringIO())), False),
            (lambda _: logging.StreamHandler(io.StringIO()), False),
            (lambda path: logging.FileHandler(path / "log"), False),
            (lambda path: logging.handlers.RotatingFileHandler(path / "log"), False),
            (lambda _: logging.handlers.SysLogHandler(("127.0.0.1", 9)), False),
            (lambda _: logging.handlers.QueueHandler(queue.Queue()), False),
            (lambda _: logging.handlers.MemoryHandler(7), False),
            (lambda _: logging.NullHandler(), False),
            (lambda _: Collecting(), False),
            (lambda _: Notifying(), False),
        ],
    )
    def test_only_handlers_that_write_to_console_are_replaced(
        self, create: Callable[[Path], logging.Handler], is_console: bool, tmp_path: Path
    ) -> None:
        """Only handlers that write to the console, and do nothing else, are replaced."""
        handler = create(tmp_path)
        try:
            assert is_console == is_console_handler(handler)
        finally:
            handler.close()


class TestKept:
    def test_other_handlers_keep_records_before_during_and_after(
        self, root: logging.Logger
    ) -> None:
        """Other handlers keep their records before, during and after telemetry."""
        before, during = Collecting(), Collecting()
        root.addHandler(before)
        logging.getLogger("a").warning("1")
        with capture() as captured:
            root.addHandler(during)
            logging.getLogger("a").warning("2")
        logging.getLogger("a").warning("3")

        assert ["1", "2", "3"] == before.said
        assert ["2", "3"] == during.said
        assert ["2"] == [line["event"] for line in captured.logs()]

    def test_handler_for_debug_keeps_its_records(self, root: logging.Logger) -> None:
        """A handler that receives debug records keeps them, and lines have their own level."""
        handler = Collecting()
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        with capture(log_level="info") as captured:
            logging.getLogger("a").debug("quiet")
            logging.getLogger("a").info("loud")

        assert ["quiet", "loud"] == handler.said
        assert ["loud"] == [line["event"] for line in captured.logs()]
        assert logging.DEBUG == root.level

    def test_level_that_application_sets_later_is_kept(self, root: logging.Logger) -> None:
        """A level that the application sets after the start is in force, and is kept at the end."""
        with capture() as captured:
            root.setLevel(logging.DEBUG)
            logging.getLogger("a").debug("said")

        assert ["said"] == [line["event"] for line in captured.logs()]
        assert logging.DEBUG == root.level

    def test_logger_with_file_alone_writes_no_line(
        self, audit: logging.Logger, tmp_path: Path
    ) -> None:
        """A logger that writes to a file alone, and does not propagate, writes no line."""
        file = logging.FileHandler(tmp_path / "audit")
        audit.addHandler(file)
        with capture() as captured:
            audit.warning("said")
        file.close()

        assert [] == captured.logs()
        assert "said\n" == (tmp_path / "audit").read_text()

    def test_record_is_unchanged_for_other_handlers(self, root: logging.Logger) -> None:
        """A record is unchanged for other handlers, and their changes are in no line."""
        text = io.StringIO()
        handler = logging.StreamHandler(text)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        root.handlers.insert(0, handler)
        with capture() as captured:
            try:
                int("x")
            except ValueError:
                logging.getLogger("a").exception("failed %s", 7)
        (line,) = captured.logs()

        assert text.getvalue().splitlines()[0].endswith("failed 7")
        assert text.getvalue().endswith("invalid literal for int() with base 10: 'x'\n")
        assert {"timestamp", "level", "event", "logger", "service_name"} == {
            name for name in line if not name.startswith("exception_")
        }

    def test_caplog_has_records(self, caplog: pytest.LogCaptureFixture) -> None:
        """The fixture caplog of pytest has the records of a service."""
        with capture():
            logging.getLogger("a").warning("said")

        assert ["said"] == caplog.messages


class TestReplaced:
    def test_logger_with_console_handler_writes_lines_with_its_level_and_filters(
        self, audit: logging.Logger
    ) -> None:
        """A logger that does not propagate writes lines in place of its console handler."""
        console = logging.StreamHandler()
        console.setLevel(logging.WARNING)
        console.addFilter(Redacting())
        audit.addHandler(console)
        audit.setLevel(logging.INFO)
        with capture() as captured:
            audit.info("quiet")
            audit.warning("password hunter2")
            audit.warning("drop")

        assert ["password ***"] == [line["event"] for line in captured.logs()]
        assert console in audit.handlers

    def test_record_is_written_once(self, audit: logging.Logger, root: logging.Logger) -> None:
        """A record is written once, although logger and root have console handlers."""
        root.addHandler(logging.StreamHandler())
        audit.addHandler(logging.StreamHandler())
        audit.propagate = True
        with capture() as captured:
            audit.warning("said")
            logging.getLogger("audit.child").warning("said")

        assert ["said", "said"] == [line["event"] for line in captured.logs()]

    def test_record_of_child_is_written_once_whichever_logger_is_older(self) -> None:
        """A record is written once if the child of a logger is older than the logger."""
        child, parent = logging.getLogger("older.child"), logging.getLogger("older")
        child.addHandler(logging.StreamHandler())
        parent.addHandler(logging.StreamHandler())
        parent.propagate = False
        with capture() as captured:
            child.warning("said")
        child.handlers.clear()
        parent.handlers.clear()
        parent.propagate = True

        assert ["said"] == [line["event"] for line in captured.logs()]

    def test_two_console_handlers_that_share_records_write_each_once(
        self, root: logging.Logger
    ) -> None:
        """Two console handlers, for errors and for the rest, become one that writes all."""
        rest, errors = logging.StreamHandler(sys.stdout), logging.StreamHandler()
        rest.addFilter(lambda record: record.levelno < logging.ERROR)
        errors.setLevel(logging.ERROR)
        root.handlers[:] = [rest, errors]
        with capture() as captured:
            logging.getLogger("a").info("fine")
            logging.getLogger("a").error("failed")

        assert ["fine", "failed"] == [line["event"] for line in captured.logs()]
        assert [rest, errors] == root.handlers

    def test_console_handler_added_later_is_replaced(self, root: logging.Logger) -> None:
        """A console handler that is added to the root logger later is replaced."""
        text = io.StringIO()
        with capture() as captured, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", text)
            root.addHandler(logging.StreamHandler())
            logging.getLogger("a").warning("said")

        assert ["said"] == [line["event"] for line in captured.logs()]
        assert "" == text.getvalue()

    def test_inner_telemetry_receives_lines_until_its_end(self) -> None:
        """A test captures telemetry of a process that is configured; afterwards lines go back."""
        with capture("outer") as outer:
            with capture("inner") as inner:
                logging.getLogger("a").warning("1")
            logging.getLogger("a").warning("2")

        assert ["1"] == [line["event"] for line in inner.logs()]
        assert ["2"] == [line["event"] for line in outer.logs()]

    def test_outer_telemetry_may_end_before_inner(self, root: logging.Logger) -> None:
        """Telemetry that ends before an inner one leaves no handler behind."""
        before = root.handlers.copy()
        outer = capture("outer")
        outer.__enter__()
        with capture("inner") as inner:
            outer.__exit__(None, None, None)
            logging.getLogger("a").warning("said")

        assert ["said"] == [line["event"] for line in inner.logs()]
        assert before == root.handlers


class TestConfiguredAgain:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (CONFIG, ""),
            ("", CONFIG),
            (CONFIG, CONFIG),
            ("logging.basicConfig()", ""),
            ("", "logging.basicConfig(force=True)"),
            ("", "root.handlers.clear()"),
            ("", "root.addHandler(logging.StreamHandler())"),
            ("logging.disable(logging.DEBUG)", ""),
        ],
    )
    def test_lines_are_json_however_logging_is_configured(
        self, script: Callable[..., Run], before: str, after: str
    ) -> None:
        """Lines are JSON and none is double, however and whenever logging is configured."""
        run = script(PROGRAM.format(before=before, after=after))

        assert ["said", "said by structlog"] == run.events()
        assert "" == run.stderr

    def test_configuration_that_disables_loggers_is_named(self, script: Callable[..., Run]) -> None:
        """A configuration that disables loggers is named once, with the cure."""
        config = CONFIG.replace("False", "True").replace(
            '"root"', '"loggers": {"shop": {}}, "root"'
        )
        run = script(PROGRAM.format(before="", after=config))
        (warning,) = [line for line in run.lines if line["logger"] == "otel_meta"]

        assert "disable_existing_loggers=False" in warning["event"]
        assert "script.py:" in warning["event"]

    def test_warnings_of_python_are_lines(self, script: Callable[..., Run]) -> None:
        """Warnings that the application captures are lines without an end of line inside."""
        after = "logging.captureWarnings(True); warnings.warn('old', UserWarning)"
        run = script(PROGRAM.format(before="", after=after))
        (line,) = [line for line in run.lines if line["logger"] == "py.warnings"]

        assert "UserWarning: old" in line["event"].splitlines()[0]
        assert not line["event"].endswith("\n")

    def test_handler_of_last_resort_is_back_after_shutdown(
        self, script: Callable[..., Run]
    ) -> None:
        """After shutdown, a warning goes to Python's handler of last resort."""
        run = script(PROGRAM.format(before="", after="") + "shop.warning('last')\n")

        assert "last\n" == run.stderr

    def test_record_factory_is_restored(self) -> None:
        """The factory of records is restored at the end."""
        before = logging.getLogRecordFactory()
        with capture():
            pass

        assert before is logging.getLogRecordFactory()


class TestStandardStreams:
    def test_lines_and_file_of_application(
        self, script: Callable[..., Run], tmp_path: Path
    ) -> None:
        """A file of the application has its records before, during and after telemetry."""
        path = tmp_path / "app.log"
        before = f"root.addHandler(logging.FileHandler({str(path)!r})); root.warning('before')"
        run = script(PROGRAM.format(before=before, after="") + "root.warning('after')\n")

        assert ["before", "said", "after"] == path.read_text().splitlines()
        assert ["said", "said by structlog"] == run.events()

    def test_json_of_line_has_own_time_of_record(self, script: Callable[..., Run]) -> None:
        """A line has the time of its record, also if a queue delivered the record late."""
        after = (
            "record = logging.makeLogRecord({'name': 'shop', 'levelname': 'INFO', 'levelno': 20,"
            " 'msg': 'late', 'created': 0.5})\n"
            "shop.handle(record)\n"
        )
        run = script(PROGRAM.format(before="", after=after))

        assert "1970-01-01T00:00:00.500000Z" == json.loads(run.stdout.splitlines()[0])["timestamp"]
