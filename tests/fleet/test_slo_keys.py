"""The SLOs and services that are asked for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from otel_meta.errors import UsageError
from otel_meta.fleet.slo_keys import Asked, SloKey
from otel_meta.model import Catalog
from otel_meta.model.identity import Identity
from otel_meta.render.options import Options
from otel_meta.repos import Aurora, Nebula

CATALOG = Catalog((Nebula, Aurora))
OPTIONS = Options(identity=Identity(places=("region",)))
NAME = Nebula.api_availability.name


@pytest.mark.parametrize(
    ("slos", "services", "wrong"),
    [
        (["nebula-api-availabilty"], {}, f"there is no such SLO; did you mean '{NAME}'?"),
        ([], {"service": "shop"}, "is no label of a service; did you mean 'service_name'?"),
        (
            [],
            {"zone": "a"},
            "is no label of a service; use service_namespace, service_name, region",
        ),
    ],
)
def test_unknown_name_is_refused_with_the_nearest_one(
    slos: list[str], services: Mapping[str, str], wrong: str
) -> None:
    """An unknown SLO or label is refused with the nearest name."""
    with pytest.raises(UsageError) as caught:
        Asked(CATALOG, slos, services, OPTIONS)

    assert wrong in str(caught.value)


def test_key_has_the_chosen_labels_of_identity() -> None:
    """A series belongs to the service that its labels of identity name; others do not matter."""
    labels = {"slo": NAME, "service_name": "shop", "region": "eu", "pod": "a"}
    asked = Asked(CATALOG, [], {}, OPTIONS)

    assert SloKey(NAME, ("", "shop", "eu")) == asked.key(labels)
    assert {"service_name": "shop", "region": "eu"} == asked.service(
        SloKey(NAME, ("", "shop", "eu"))
    )
    assert asked.key({"slo": "other"}) is None


def test_series_of_another_service_is_not_asked_for() -> None:
    """A series of another service, or of an SLO that is not named, has no key."""
    asked = Asked(CATALOG, [NAME], {"region": "eu"}, OPTIONS)

    assert asked.key({"slo": NAME, "region": "us"}) is None
    assert asked.key({"slo": Nebula.api_latency.name, "region": "eu"}) is None
    assert asked.is_known(Nebula.api_latency.name)


def test_matchers_leave_out_other_catalogues() -> None:
    """The matchers name the meta-repositories, and the SLOs only where some are named."""
    every, one = (Asked(CATALOG, names, {"region": "eu"}, OPTIONS) for names in ([], [NAME]))
    repos = f'service_namespace=~"{Nebula.name}|{Aurora.name}"'

    assert (repos, 'region="eu"') == every.matchers
    assert (f'service_namespace="{Nebula.name}"', f'slo="{NAME}"', 'region="eu"') == one.matchers
