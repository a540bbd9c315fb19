from __future__ import annotations

from importlib.metadata import version

import pytest

from otel_meta.runtime.resource import create_resource, identity_labels
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


class TestIdentity:
    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({}, {}),
            (
                {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,cloud.region=eu"},
                {"deployment_environment_name": "test"},
            ),
            (
                {
                    "OTEL_RESOURCE_ATTRIBUTES": "cluster=blue,cloud.region=eu",
                    "OTEL_META_IDENTITY_ATTRIBUTES": "cloud.region",
                },
                {"cluster": "blue", "cloud_region": "eu"},
            ),
        ],
    )
    def test_labels_of_identity_are_attributes_that_resource_has(
        self, environ: dict[str, str], expected: dict[str, str]
    ) -> None:
        """The labels of identity are the attributes of places that the resource has."""
        settings = read_settings(service_name="api", namespace="atlas-maps", environ=environ)
        labels = identity_labels(create_resource(settings), settings)

        assert {"service_name": "api", "service_namespace": "atlas-maps", **expected} == labels

    def test_old_name_of_environment_causes_warning_with_new_name(self) -> None:
        """The attribute's old name causes a warning with the new name, and both together none."""
        old = "deployment.environment=test"
        both = f"{old},deployment.environment.name=test"
        found = [
            read_settings("api", environ={"OTEL_RESOURCE_ATTRIBUTES": attributes}).warnings
            for attributes in (old, both)
        ]

        assert [1, 0] == [len(warnings) for warnings in found]
        assert "name it deployment.environment.name" in found[0][0]

    def test_option_overrides_variable(self) -> None:
        """The option overrides the variable; a single name is a text."""
        settings = read_settings(
            service_name="api",
            identity_attributes="tenant",
            environ={"OTEL_META_IDENTITY_ATTRIBUTES": "cloud.region"},
        )

        assert ("tenant",) == settings.identity_attributes
