from __future__ import annotations

from importlib.metadata import version

import pytest

from otel_meta.runtime.resource import create_resource
from otel_meta.runtime.settings import read_settings


class TestResource:
    def test_resource_has_names_of_service_meta_repository_and_distribution(self) -> None:
        """A resource has the names of service, meta-repository and distribution."""
        settings = read_settings(service_name="api", namespace="atlas-maps", environ={})
        attributes = create_resource(settings).attributes

        assert {
            "service.name": "api",
            "service.namespace": "atlas-maps",
            "telemetry.distro.name": "otel_meta",
            "telemetry.distro.version": version("otel_meta"),
        }.items() <= attributes.items()

    def test_service_without_meta_repository_has_no_namespace(self) -> None:
        """A service without a meta-repository has no namespace."""
        settings = read_settings(service_name="api", environ={})

        assert "service.namespace" not in create_resource(settings).attributes

    def test_further_attributes_are_part_of_resource(self) -> None:
        """Further attributes are part of the resource."""
        settings = read_settings(
            service_name="api",
            resource_attributes={"deployment.environment.name": "staging"},
            environ={},
        )

        assert "staging" == create_resource(settings).attributes["deployment.environment.name"]

    def test_settings_override_attributes_that_sdk_detects(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Settings override the attributes that the SDK detects."""
        monkeypatch.setenv("OTEL_SERVICE_NAME", "detected")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=detected,a=detected")
        settings = read_settings(service_name="api", resource_attributes={"a": "b"}, environ={})
        attributes = create_resource(settings).attributes

        assert ("api", "b") == (attributes["service.name"], attributes["a"])
