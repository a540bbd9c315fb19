"""The configurator: called by an injector at the start of the interpreter."""

from __future__ import annotations

from .injected_start import start_telemetry
from .launchers import is_launcher


class MetaConfigurator:
    """Starts the telemetry of a process from environment variables."""

    def configure(self, **_of_injector: object) -> None:
        """Start telemetry, except in a process that only starts others and records nothing.

        Args:
            **_of_injector: the injector's version.
        """
        if not is_launcher():
            start_telemetry()
