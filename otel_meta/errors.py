"""The errors of otel_meta, as a tree.

    OtelMetaError
    ├── DeclarationError        a declaration is invalid; raised at import
    ├── NotBoundError           an instrument was used before `Telemetry.bind`
    ├── ConfigurationError      telemetry cannot start with these settings
    │   ├── MissingExtra        an optional package is not installed
    │   └── PortInUse           another process listens on the metrics port
    ├── InstrumentationError    an application cannot be instrumented
    ├── BackendError            a server cannot be asked, or does not have the answer
    └── UsageError              an argument of the command line is invalid

Each message names the place, the problem and the fix. No error is raised while an application
serves: faults of recording and exporting are counted instead.
"""

from __future__ import annotations


class OtelMetaError(Exception):
    """Base class of all errors of otel_meta."""


class DeclarationError(OtelMetaError, ValueError):
    """A declaration is invalid; the message has the place, the problem and the fix."""

    def __init__(self, where: str, problem: str, fix: str) -> None:
        super().__init__(where, problem, fix)  # the arguments of __init__, for pickle
        self.where = where
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.fix}"


class NotBoundError(OtelMetaError, AttributeError):
    """An instrument was used on an instance that `Telemetry.bind` did not return."""


class ConfigurationError(OtelMetaError):
    """Telemetry cannot start with these settings."""


class MissingExtra(ConfigurationError, ImportError):
    """An optional package is not installed; the message has the pip command."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(purpose, extra)
        self.purpose = purpose
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.purpose} needs: pip install 'otel_meta[{self.extra}]'"


class PortInUse(ConfigurationError):
    """Another process listens on the port of /metrics."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return (
            f"cannot serve /metrics on {self.host}:{self.port}, the port is in use; "
            "set OTEL_EXPORTER_PROMETHEUS_PORT to a free one, or serve /metrics from the app "
            "alone with configure(prometheus_port=None); if the other process belongs to this "
            "service, set OTEL_META_MULTIPROCESS_DIR to a directory of the service, and all its "
            "processes share the port"
        )


class InstrumentationError(OtelMetaError):
    """An application cannot be instrumented: it serves already, or is instrumented already."""


class BackendError(OtelMetaError):
    """A server, such as Prometheus, cannot be asked, or does not have the answer."""


class UsageError(OtelMetaError):
    """An argument of the command line is invalid, such as a path that does not exist."""
