"""The declaration of a metric: name, unit, labels and kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, Generic, ParamSpec

from otel_meta.errors import DeclarationError

from .arguments import declared_in, expect_count, sentence
from .declared_call import declaring_class
from .kind_traits import KIND_TRAITS, Kind, KindTraits
from .labels import labels_of
from .names import check_name, prometheus_name

P = ParamSpec("P")


@declaring_class
class Instrument(Generic[P]):
    """A metric as declared; the base class of all kinds.

    Args:
        name: the full name in OpenTelemetry, words joined by dots.
        description: one sentence; HELP in Prometheus.
        labels: a class decorated with `labels`, or `NoLabels`.
        unit: the unit in UCUM ("s", "By", "%", "{request}"); "" for none.
        max_series: cardinality limit of the metric in a process: further series share one
            overflow series. By default the limit that `configure` sets. If all labels are closed,
            the limit is at least the number of declared combinations.

    Raises:
        DeclarationError: the name or unit would differ between export paths, the description is
            no sentence, or the cardinality limit is below one.
    """

    kind: ClassVar[Kind]
    buckets: tuple[float, ...] = ()
    owner: str = ""
    """The class whose attribute the instrument is, by its name."""

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
        where = f"metric {name!r}"
        self.name: Final = name
        self.description: Final = _described(where, name, description)
        self.unit: Final = unit
        self.labels: Final = labels
        with declared_in(where):
            self.label_fields: Final = labels_of(labels)
        if max_series is not None:
            expect_count(where, "max_series", max_series, least=1)
        self.max_series: Final = max_series

    @property
    def traits(self) -> KindTraits:
        """The facts about the instrument's kind."""
        return KIND_TRAITS[self.kind]

    @property
    def counted_bounds(self) -> tuple[float, ...]:
        """The upper bounds of the buckets in which a process counts values."""
        return self.buckets

    @property
    def monotonic(self) -> bool:
        """True for a counter, which only goes up."""
        return self.traits.monotonic

    @property
    def prometheus_name(self) -> str:
        """Name of the metric family in Prometheus, equal on every export path."""
        return prometheus_name(self.name, self.unit, monotonic=self.monotonic)

    @property
    def prometheus_family(self) -> str:
        """Name of the metric family in OpenMetrics: without the ``_total`` of counters."""
        return prometheus_name(self.name, self.unit, monotonic=False)

    @property
    def sample_names(self) -> tuple[str, ...]:
        """Names of the samples of the family in Prometheus."""
        return tuple(self.prometheus_name + suffix for suffix in self.traits.sample_suffixes)

    def __eq__(self, other: object) -> bool:
        """Return True for a copy, also from another process or a second import of a module."""
        if not isinstance(other, Instrument):
            return NotImplemented
        return type(self) is type(other) and self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def _arguments(self) -> dict[str, object]:
        """Return the arguments, with the fields of the labels in place of their class."""
        return {name: value for name, value in vars(self).items() if name != "labels"}


def _described(where: str, name: str, description: object) -> str:
    text = sentence(where, "description", description, "the things that the metric measures")
    names = {name, name.replace(".", "_")}
    # A name of one word may be the first word of a sentence.
    repeated = text[:-1] if "_" not in name and "." not in name else text.split()[0].rstrip(".:,")
    if repeated in names:
        raise DeclarationError(
            where,
            "has a description that begins with its name",
            "describe in one sentence the things that the metric measures",
        )
    return text
