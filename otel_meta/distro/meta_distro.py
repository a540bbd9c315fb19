"""The distribution: called first by an injector, which instruments the libraries by its means."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint
from typing import Any

from opentelemetry.instrumentation.distro import BaseDistro

from otel_meta.runtime.sdk_environment import prefer_stable_conventions

from .instrumentor import MetaInstrumentor
from .libraries import OWN_NAME, is_of_web_application, switched_off

_CONFIGURATOR = "OTEL_PYTHON_CONFIGURATOR"


class MetaDistro(BaseDistro):
    """Prepares the environment, and leaves FastAPI and Starlette to otel_meta alone."""

    def _configure(self, **_of_injector: Any) -> None:
        """Prepare the environment and the classes of applications.

        The classes come first: the configurator imports the meta-repository, and with it perhaps
        the application.
        """
        prefer_stable_conventions()
        os.environ.setdefault(_CONFIGURATOR, OWN_NAME)
        if not switched_off(OWN_NAME):
            MetaInstrumentor().instrument()

    def load_instrumentor(self, entry_point: EntryPoint, **options: Any) -> None:
        """Instrument a library, unless otel_meta itself does.

        Args:
            entry_point: of the library's instrumentor.
            **options: for the instrumentor.
        """
        is_ours = MetaInstrumentor().is_instrumented_by_opentelemetry
        if not (is_ours and is_of_web_application(entry_point.name)):
            super().load_instrumentor(entry_point, **options)
