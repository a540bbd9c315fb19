"""Every error that otel_meta raises, drawn as a tree.

    OtelMetaError
    ├── DeclarationError        a catalogue says something that cannot hold; raised at import
    ├── NotBoundError           a declaration was recorded through before `bind`
    ├── ConfigurationError      telemetry cannot start as asked
    │   ├── MissingExtra        an optional package is not installed
    │   └── PortInUse           the metrics port belongs to somebody else
    ├── InstrumentationError    an application cannot be instrumented as asked
    └── UsageError              the command line was given something it cannot use

Each message says what was wrong, where, and how to mend it. None of them is raised while an
application serves: recording and exporting count their failures instead.
"""

from __future__ import annotations


class OtelMetaError(Exception):
    """The root: catch this to catch them all."""


class DeclarationError(OtelMetaError, ValueError):
    """A declaration is wrong: the message names it, what is wrong with it, and the cure."""

    def __init__(self, where: str, problem: str, fix: str) -> None:
        super().__init__(where, problem, fix)  # as they came, so that it can be pickled
        self.where = where
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.fix}"


class NotBoundError(OtelMetaError, AttributeError):
    """An instrument was used on an instance that no telemetry has bound."""


class ConfigurationError(OtelMetaError):
    """Telemetry cannot start with these settings."""


class MissingExtra(ConfigurationError, ImportError):
    """An optional package is needed and absent; the message holds the pip command."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(purpose, extra)
        self.purpose = purpose
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.purpose} needs: pip install 'otel_meta[{self.extra}]'"


class PortInUse(ConfigurationError):
    """Another process listens where /metrics should be."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return (
            f"cannot serve /metrics on {self.host}:{self.port}, the port is in use; "
            "set OTEL_EXPORTER_PROMETHEUS_PORT to a free one, or serve /metrics from the app "
            "alone with configure(prometheus_port=None)"
        )


class InstrumentationError(OtelMetaError):
    """An application cannot be instrumented: too late, twice, or already by something else."""


class UsageError(OtelMetaError):
    """The command line named something that is not there."""
