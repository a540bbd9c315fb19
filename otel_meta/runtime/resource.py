"""Who the process is: the resource that every signal carries."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

from opentelemetry.sdk.resources import Resource

from .settings import Settings

IDENTITY: Final = frozenset({"service.name", "service.namespace"})
"""Copied onto every series, as service_name and service_namespace."""


def create_resource(settings: Settings) -> Resource:
    """The resource of this process; what the settings say wins over what is detected."""
    attributes = {
        **settings.resource_attributes,
        "service.name": settings.service_name,
        "service.namespace": settings.namespace,
        "telemetry.distro.name": "otel_meta",
        "telemetry.distro.version": version("otel_meta"),
    }
    with _quiet():
        return Resource.create({key: value for key, value in attributes.items() if value})


def of_service(resource: Resource) -> Resource:
    """What is true of every process of a service."""
    return Resource(
        {
            key: value
            for key, value in resource.attributes.items()
            if key != "service.instance.id" and not key.startswith("process.")
        },
        resource.schema_url,
    )


@contextmanager
def _quiet() -> Generator[None]:
    """The SDK reads OTEL_RESOURCE_ATTRIBUTES again, and what is wrong there has been said."""
    sdk = logging.getLogger("opentelemetry.sdk.resources")
    disabled, sdk.disabled = sdk.disabled, True
    try:
        yield
    finally:
        sdk.disabled = disabled
