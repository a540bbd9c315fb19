"""A metric as declared: its name, its unit, its labels and its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, Generic, ParamSpec

from otel_meta.errors import DeclarationError

from .kind_traits import KIND_TRAITS, Kind, KindTraits
from .labels import labels_of
from .names import check_name, prometheus_name

P = ParamSpec("P")


class Instrument(Generic[P]):
    """What is measured: a name, its unit and its labels.

    Args:
        name: OpenTelemetry's name, in full, dots between words.
        description: one sentence; Prometheus' HELP.
        labels: a class made by `labels`, or `NoLabels`.
        unit: in UCUM ("s", "By", "%", "{request}"); "" for none.
        max_series: how many series it may have in a process before the rest share one; None for
            what `configure` says. Series of closed label values always have their place.

    Raises:
        DeclarationError: the name or unit would differ between export paths, or there may be no
            series at all.
    """

    kind: ClassVar[Kind]
    buckets: tuple[float, ...] = ()

    def __init__(
        self,
        name: str,
        description: str,
        labels: Callable[P, object],
        *,
        unit: str = "",
        max_series: int | None = None,
    ) -> None:
        check_name(name, unit)
        if not description.endswith("."):
            raise DeclarationError(
                f"metric {name!r}", "has no description", "say what it counts in one sentence"
            )
        if max_series is not None and max_series < 1:
            raise DeclarationError(
                f"metric {name!r}", f"may have {max_series} series", "allow at least one"
            )
        self.name: Final = name
        self.description: Final = description
        self.unit: Final = unit
        self.labels: Final = labels
        self.label_fields: Final = labels_of(labels)
        self.max_series: Final = max_series

    @property
    def traits(self) -> KindTraits:
        """The facts about the instrument's kind."""
        return KIND_TRAITS[self.kind]

    @property
    def monotonic(self) -> bool:
        """True for a counter, which only goes up."""
        return self.traits.monotonic

    @property
    def prometheus_name(self) -> str:
        """The metric family's name in Prometheus, equal on every export path."""
        return prometheus_name(self.name, self.unit, monotonic=self.monotonic)

    @property
    def prometheus_family(self) -> str:
        """The name that OpenMetrics gives the family: a counter's without ``_total``."""
        return prometheus_name(self.name, self.unit, monotonic=False)

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names of the series that the family has in Prometheus."""
        return tuple(self.prometheus_name + suffix for suffix in self.traits.sample_suffixes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"
