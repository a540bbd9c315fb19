"""Meta-repositories: classes whose attributes declare metrics, SLOs, recordings and alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import cleandoc
from types import MappingProxyType
from typing import ClassVar, Final, TypeVar

from otel_meta.errors import DeclarationError

from .arguments import check_dashed_name, did_you_mean, expect_type, members_of, sentence
from .declared_call import declaring
from .instrument import Instrument
from .rules import Alert, Recording
from .selector import Selector
from .slo.slo import Slo

T = TypeVar("T")

_TIERS: Final = (1, 2, 3)
_LONGEST_NAME: Final = 63
"""Characters of a name in Kubernetes' labels and host names."""
_DECLARATIONS: Final = (Instrument, Slo, Recording, Alert)


class MetaRepo:
    """Base class of meta-repositories: declare instruments, SLOs, recordings and alerts in it.

    Examples:
        >>> class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
        ...     '''Map tiles and routing.'''

    The name becomes ``service.namespace`` on every series of its services.

    Raises:
        DeclarationError: at import; a declaration is invalid.
    """

    name: ClassVar[str]
    owner: ClassVar[str]
    tier: ClassVar[int]
    escalation: ClassVar[str]
    description: ClassVar[str]
    instruments: ClassVar[Mapping[str, Instrument[...]]]
    slos: ClassVar[Mapping[str, Slo]]
    recordings: ClassVar[Mapping[str, Recording]]
    alerts: ClassVar[Mapping[str, Alert]]

    @declaring
    def __init_subclass__(
        cls, *, name: str, owner: str, tier: int = 2, escalation: str = ""
    ) -> None:
        """Collect and check the declarations.

        Args:
            name: lower-case words joined by dashes, 63 characters at most.
            owner: the responsible team, as lower-case words joined by dashes.
            tier: 1 if an outage stops customers, 2 if an outage slows customers, 3 if customers
                do not notice an outage.
            escalation: whom to call when the owner is needed at once, and whom if nobody answers,
                in one sentence for the runbook.
        """
        check_dashed_name("meta-repository", name)
        where = f"meta-repository {name!r}"
        if len(name) > _LONGEST_NAME:
            problem = f"has a name of {len(name)} characters"
            raise DeclarationError(where, problem, f"use {_LONGEST_NAME} characters at most")
        fix = "name the team that its alerts notify"
        expect_type(where, "owner", owner, str, fix)
        if not owner:
            raise DeclarationError(where, "has no owner", fix)
        check_dashed_name(f"{where}, owner", owner)
        if tier not in _TIERS:
            raise DeclarationError(where, f"has the tier {tier!r}", "choose 1, 2 or 3")
        for taken in MetaRepo.__annotations__.keys() & vars(cls).keys():
            raise DeclarationError(
                f"{cls.__name__}.{taken}",
                "is an attribute that every meta-repository has",
                "choose another name",
            )
        for attribute, value in vars(cls).items():
            _refuse_hidden(f"{cls.__name__}.{attribute}", value)
            if value is None and not attribute.startswith("_"):
                _refuse_vain_removal(cls, attribute)
        cls.name, cls.owner, cls.tier = name, owner, tier
        cls.escalation = escalation and sentence(where, "escalation", escalation, "whom to call")
        cls.description = cleandoc(cls.__doc__ or "").partition("\n")[0]
        cls.instruments = _declared(cls, Instrument)
        cls.slos = _declared(cls, Slo)
        cls.recordings = _declared(cls, Recording)
        cls.alerts = _declared(cls, Alert)
        _check_references(cls)
        _check_names(cls)

    def __repr__(self) -> str:
        state = f"{len(vars(self))} live instruments" if vars(self) else "not bound"
        return f"<{type(self).__name__} {self.name!r}, {state}>"


def _declared(cls: type, kind: type[T]) -> Mapping[str, T]:
    members: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        members |= vars(base)
    return MappingProxyType({name: m for name, m in members.items() if isinstance(m, kind)})


def _refuse_hidden(where: str, value: object) -> None:
    """Refuse a declaration in a tuple or list, and a class in place of an instance."""
    if any(isinstance(each, _DECLARATIONS) for each in members_of(value)):
        raise DeclarationError(
            where,
            f"is a {type(value).__name__} with a declaration, which would not be found",
            "remove the comma at the end, or give each declaration an attribute",
        )
    if isinstance(value, type) and issubclass(value, _DECLARATIONS):
        raise DeclarationError(
            where, f"is the class {value.__name__}", f"call it: {value.__name__}(...)"
        )


def _refuse_vain_removal(cls: type[MetaRepo], attribute: str) -> None:
    """Refuse None for an attribute that no base class has, such as a misspelt one."""
    inherited = {name for base in cls.__mro__[1:] for name in vars(base)}
    if attribute not in inherited:
        raise DeclarationError(
            f"{cls.__name__}.{attribute}",
            "is None, which removes an inherited declaration, and no base class declares it",
            f"name an inherited attribute, or remove the line{did_you_mean(attribute, inherited)}",
        )


def _check_names(cls: type[MetaRepo]) -> None:
    """Refuse two attributes with one name in Prometheus, or in the rules."""
    first: dict[tuple[str, str], tuple[str, object]] = {}
    for kind, attribute, name, declared in _named(cls):
        other, same = first.setdefault((kind, name), (attribute, declared))
        if other != attribute and not (kind == "series" and same == declared):
            raise DeclarationError(
                f"{cls.__name__}.{attribute}",
                f"has the name of {cls.__name__}.{other}, {kind} {name!r}",
                "rename one; an attribute of the same name replaces an inherited declaration",
            )


def _named(cls: type[MetaRepo]) -> Iterator[tuple[str, str, str, object]]:
    for attribute, instrument in cls.instruments.items():
        for sample in (instrument.prometheus_family, *instrument.sample_names):
            yield "series", attribute, sample, instrument
    for kind, found in (("SLO", cls.slos), ("recording", cls.recordings), ("alert", cls.alerts)):
        for attribute, declared in found.items():
            yield kind, attribute, declared.name, declared


def _check_references(cls: type[MetaRepo]) -> None:
    own = set(cls.instruments.values())
    for where, selector in _references(cls):
        if selector.instrument not in own:
            raise DeclarationError(
                f"{cls.__name__}.{where}",
                f"reads {selector.instrument.name}, which {cls.__name__} does not declare",
                "make that instrument an attribute of the class",
            )
    for name, alert in cls.alerts.items():
        is_inherited = name not in vars(cls)  # the class may have removed the SLO
        if alert.slo is None or is_inherited:
            continue
        if alert.slo not in cls.slos.values():
            raise DeclarationError(
                f"{cls.__name__}.{name}",
                f"names the SLO {alert.slo.name}, which {cls.__name__} does not declare",
                "make that SLO an attribute of the class",
            )


def _references(cls: type[MetaRepo]) -> Iterator[tuple[str, Selector]]:
    for name, slo in cls.slos.items():
        yield from ((name, selector) for selector in slo.sli.selectors())
    measured: Mapping[str, Recording | Alert] = {**cls.recordings, **cls.alerts}
    for name, declared in measured.items():
        yield from ((name, selector) for selector in declared.measure.selectors())
