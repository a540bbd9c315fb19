from __future__ import annotations

from importlib.metadata import version

import pytest

from otel_meta.runtime.resource import create_resource
from otel_meta.runtime.settings import read_settings


class TestResource:
    def test_identity(self) -> None:
        """A resource says which service it is, of which meta-repository, and by what means."""
        settings = read_settings(service_name="api", namespace="atlas-maps", environ={})
        attributes = create_resource(settings).attributes

        assert {
            "service.name": "api",
            "service.namespace": "atlas-maps",
            "telemetry.distro.name": "otel_meta",
            "telemetry.distro.version": version("otel_meta"),
        }.items() <= attributes.items()

    def test_no_namespace(self) -> None:
        """A service of no meta-repository has no namespace rather than an empty one."""
        settings = read_settings(service_name="api", environ={})

        assert "service.namespace" not in create_resource(settings).attributes

    def test_more(self) -> None:
        """What else is said about the service is there."""
        settings = read_settings(
            service_name="api",
            resource_attributes={"deployment.environment.name": "staging"},
            environ={},
        )

        assert "staging" == create_resource(settings).attributes["deployment.environment.name"]

    def test_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the settings say wins over what the SDK detects."""
        monkeypatch.setenv("OTEL_SERVICE_NAME", "detected")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=detected,a=detected")
        settings = read_settings(service_name="api", resource_attributes={"a": "b"}, environ={})
        attributes = create_resource(settings).attributes

        assert ("api", "b") == (attributes["service.name"], attributes["a"])
