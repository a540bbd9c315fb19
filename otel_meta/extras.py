"""Imports of optional packages: a missing extra is an error with the pip command."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Literal

from .errors import MissingExtra

Extra = Literal[
    "sdk", "prometheus", "compression", "otlp", "fastapi", "cli", "mcp", "generate", "examples"
]

_SDK: Final = ("opentelemetry.sdk", "orjson", "structlog")
_PROMETHEUS: Final = ("opentelemetry.exporter.prometheus", "prometheus_client")
_OTLP: Final = (
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.exporter.otlp.proto.grpc",
    "opentelemetry.proto",
    "google.protobuf",
    "requests",
)
_FASTAPI: Final = ("fastapi", "opentelemetry.instrumentation.fastapi", "starlette")
_CLI: Final = ("httpx", "rich", "typer")
PACKAGES: Final[Mapping[Extra, tuple[str, ...]]] = {
    "sdk": _SDK,
    "prometheus": (*_SDK, *_PROMETHEUS),
    "compression": ("isal", "zstandard"),
    "otlp": (*_SDK, *_OTLP),
    "fastapi": (*_SDK, *_FASTAPI),
    "cli": _CLI,
    "mcp": (*_CLI, "anyio", "mcp", "pydantic", "uvicorn"),
    "generate": (*_CLI, "yaml", "grafana_foundation_sdk", "promql_parser"),
    "examples": (
        *_SDK,
        *_PROMETHEUS,
        *_OTLP,
        *_FASTAPI,
        *_CLI,
        "opentelemetry.instrumentation.httpx",
        "uvicorn",
        "websockets",
    ),
}
"""Import names of the packages in each extra of pyproject.toml."""


class ExtraImports:
    """Context manager for imports that need an extra.

    Examples:
        >>> with ExtraImports("generate", "Checking rules"):
        ...     from otel_meta.check.rule_lint import check

    Other errors pass unchanged: a misspelt import of a module of otel_meta is not a missing
    extra.

    Args:
        extra: the extra that installs the packages.
        purpose: subject of the error's sentence.

    Raises:
        MissingExtra: a package of the extra is not installed.
    """

    def __init__(self, extra: Extra, purpose: str) -> None:
        self._extra: Final[Extra] = extra
        self._purpose: Final = purpose

    def __enter__(self) -> None:
        """Begin the imports."""

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Replace the error of a missing package."""
        if isinstance(error, ModuleNotFoundError) and _belongs_to(self._extra, error.name or ""):
            raise MissingExtra(self._purpose, self._extra) from error


def _belongs_to(extra: Extra, module: str) -> bool:
    """Return True if a missing module is a package of an extra, or part or parent of a package.

    Without any exporter, for example, Python reports ``opentelemetry.exporter`` as missing.
    """
    return any(
        f"{module}.".startswith(f"{package}.") or f"{package}.".startswith(f"{module}.")
        for package in PACKAGES[extra]
    )
