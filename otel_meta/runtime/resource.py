"""The resource: attributes of this process on every signal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from opentelemetry.sdk.resources import Resource

from otel_meta._version import __version__
from otel_meta.model.identity import DEFAULT

from .lifecycle.instance_id import InstanceId, ProcessResource
from .settings import Settings

IDENTITY: Final = DEFAULT.attributes
"""Attributes that are copied onto every series, such as service_name and service_namespace."""


def create_resource(settings: Settings, instance: InstanceId | None = None) -> Resource:
    """Create the resource of this process; settings override detected attributes.

    Args:
        settings: the settings of telemetry.
        instance: the instance id of this process, if the environment gives one.
    """
    attributes = {
        **settings.resource_attributes,
        "service.name": settings.service_name,
        "service.namespace": settings.namespace,
        "telemetry.distro.name": "otel_meta",
        "telemetry.distro.version": __version__,
    }
    resource = Resource.create({key: value for key, value in attributes.items() if value})
    return resource if instance is None else ProcessResource(resource, instance)


def identity_labels(resource: Resource, settings: Settings) -> dict[str, str]:
    """Return the attributes of identity that a resource has, by the names of their labels."""
    names = (*IDENTITY, *settings.identity_attributes)
    values = {name: resource.attributes.get(name) for name in names}
    return {name.replace(".", "_"): str(value) for name, value in values.items() if value}


class JobResource(Resource):
    """The resource of the metrics of a job, equal in all its runs and processes.

    In a forked child, the SDK merges a random id of the instance into the resource of a provider.

    Args:
        resource: all attributes of this process.
        names: the attributes of identity.
    """

    def __init__(self, resource: Resource, names: Iterable[str]) -> None:
        found = {name: resource.attributes.get(name) for name in names}
        super().__init__({name: value for name, value in found.items() if value is not None})

    def merge(self, other: Resource) -> Resource:  # noqa: ARG002 - the SDK's interface
        """Return this resource: whatever differs between processes would start new series."""
        return self


def service_resource(resource: Resource) -> Resource:
    """Return a resource without the attributes of a single process of the service."""
    return Resource(
        {
            key: value
            for key, value in resource.attributes.items()
            if key != "service.instance.id" and not key.startswith("process.")
        },
        resource.schema_url,
    )
