"""Global providers that another library has set before `configure`, and that stay in place.

Logfire, EDOT, `opentelemetry-instrument` and applications set providers, and OpenTelemetry's API
keeps the first of each. Telemetry then makes its spans with the foreign tracer provider, and adds
its processors and its reader where the provider takes them.

Nothing may leave the process twice for one backend. Which exporters the other library has cannot be
seen, but it reads OpenTelemetry's variables as well. So an exporter that only variables name is
left to the other library, and an exporter that an argument of `configure` names is added.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api

from otel_meta.runtime.settings import Settings
from otel_meta.runtime.signals import Signal

from .global_providers import set_by_another


@dataclass(frozen=True)
class ForeignProviders:
    """The providers of another library; None for a signal without one."""

    tracer: Any = None
    meter: Any = None

    @property
    def takes_processors(self) -> bool:
        """True if a span processor can be added, as in the SDK."""
        return hasattr(self.tracer, "add_span_processor")

    @property
    def takes_readers(self) -> bool:
        """True if a metric reader can be added and removed, as in the SDK."""
        return hasattr(self.meter, "add_metric_reader") and hasattr(
            self.meter, "remove_metric_reader"
        )

    def without_doubles(self, settings: Settings, given: Container[str]) -> Settings:
        """Return settings without the exporters that are left to the other library.

        Args:
            settings: the settings of telemetry.
            given: names of the options that are arguments of `configure`.
        """
        exporters = dict(settings.exporters)
        for signal in self.exported():
            if signal not in given and "otlp_endpoint" not in given:
                exporters[signal] = ()
        return replace(settings, exporters=exporters)

    def report(self, settings: Settings) -> str:
        """Return what telemetry does with the providers, in one line; "" without any."""
        first = self.meter if self.tracer is None else self.tracer
        if first is None:
            return ""
        facts = "; ".join(self._facts(settings))
        return f"{owner_of(first)} has set providers of OpenTelemetry, which stay: {facts}"

    def exported(self) -> Iterator[Signal]:
        """Yield the signals that the other library exports too, as far as can be seen."""
        if self.tracer is not None:
            yield "traces"
        is_alone = self.tracer is None and self.meter is None
        if not is_alone and any(_exports(handler) for handler in logging.getLogger().handlers):
            yield "logs"

    def _facts(self, settings: Settings) -> Iterator[str]:
        if self.tracer is not None:
            yield f"spans are made by its tracer provider{_named(self.tracer, settings)}"
            yield self._span_exports(settings)
        if self.meter is not None:
            yield self._library_metrics(settings)
            yield "the metrics of meta-repositories are exported by otel_meta alone"

    def _span_exports(self, settings: Settings) -> str:
        targets = " and ".join(settings.exporters["traces"])
        if not self.takes_processors:
            return "it takes no span processor, so it exports them alone"
        if not targets:
            return 'it exports them alone (configure(traces="otlp") adds an exporter)'
        return f"otel_meta exports them to {targets} as well"

    def _library_metrics(self, settings: Settings) -> str:
        if "prometheus" not in settings.exporters["metrics"]:
            return "metrics of libraries are left to its meter provider"
        if self.takes_readers:
            return "metrics of libraries are on /metrics as well"
        return "its meter provider takes no reader, so metrics of libraries are not on /metrics"


_EXPORTING: Final = ("opentelemetry.", "logfire.")
"""Packages whose handlers of `logging` send each record to a backend."""

NO_PROVIDERS: Final = ForeignProviders()


def foreign_providers() -> ForeignProviders:
    """Return the providers that another library has set.

    The API reads variables here, which the caller has to check before.
    """
    return ForeignProviders(
        _if_foreign(trace_api.get_tracer_provider()), _if_foreign(metrics_api.get_meter_provider())
    )


def owner_of(provider: object) -> str:
    """Return who has set a foreign provider, with its class."""
    name = f"{type(provider).__module__}.{type(provider).__qualname__}"
    distribution = _resource(provider).get("telemetry.distro.name")
    if "opentelemetry.instrumentation.auto_instrumentation" in sys.modules:
        by = "opentelemetry-instrument"
        return f"{by} with {distribution} ({name})" if distribution else f"{by} ({name})"
    return f"{distribution} ({name})" if distribution else f"another library ({name})"


def _if_foreign(provider: object) -> Any:
    return provider if set_by_another(provider) else None


def _named(provider: object, settings: Settings) -> str:
    """Return the name of the service on the spans, if it differs from that of telemetry."""
    name = _resource(provider).get("service.name", settings.service_name)
    return "" if name == settings.service_name else f", as service.name={name!r}"


def _resource(provider: object) -> Any:
    return getattr(getattr(provider, "resource", None), "attributes", {})


def _exports(handler: logging.Handler) -> bool:
    return type(handler).__module__.startswith(_EXPORTING)
