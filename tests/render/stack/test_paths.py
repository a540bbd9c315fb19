"""Checks the paths and the image versions of the compose file."""

from __future__ import annotations

import re

import pytest

from otel_meta.testing.pinned_tools import lookup
from tests.render.stack.committed_stack import (
    COLLECTORS,
    ROOT,
    STACK,
    collector_config,
    compose,
    copied_paths,
    read,
)


class TestPaths:
    def test_mounts_are_paths_of_repository_or_volumes_of_compose_file(self) -> None:
        """Mounts are paths of the repository, or volumes of the compose file."""
        volumes = read("compose.yaml")["volumes"]
        sources = {
            v.split(":")[0] for service in compose().values() for v in service.get("volumes", ())
        }

        assert set(volumes) == {source for source in sources if not source.startswith(".")}
        for source in sources - set(volumes):
            assert (STACK / source).exists(), source

    def test_every_configuration_in_command_is_mounted_in_its_container(self) -> None:
        """Every configuration in a command is mounted in its container."""
        for name, service in compose().items():
            mounts = {volume.split(":")[1] for volume in service.get("volumes", ())}
            for argument in service.get("command", ()):
                flag, _, path = argument.partition("=")
                if flag in {"--config", "--config.file"}:
                    assert path in mounts, name

    def test_relative_path_of_rules_is_valid_in_repository_and_container(self) -> None:
        """The relative path of the rules is valid in repository and container."""
        (pattern,) = read("prometheus.yml")["rule_files"]
        mounts = dict(v.split(":")[:2] for v in compose()["prometheus"]["volumes"])

        assert "../rules/*.yml" == pattern
        assert "/etc/rules" == mounts["../rules"]
        assert "/etc/prometheus/prometheus.yml" == mounts["./prometheus.yml"]
        assert list((STACK / "../rules").glob("*.yml"))

    def test_every_collector_has_separate_volume_for_queue(self) -> None:
        """Every Collector has a separate volume for the queue."""
        volumes = [
            volume.split(":")
            for service in COLLECTORS
            for volume in compose()[service]["volumes"]
            if not volume.startswith(".")
        ]
        folders = [
            collector_config(service)["extensions"]["file_storage/queue"]["directory"]
            for service in COLLECTORS
        ]

        assert folders == [path for _, path in volumes]
        assert len(COLLECTORS) == len({name for name, _ in volumes})

    def test_copied_paths_exist_and_contain_all_started_programs(self) -> None:
        """The copied paths of the Dockerfile exist, and contain all started programs."""
        assert copied_paths()
        assert all((ROOT / source).exists() for source in copied_paths())
        for service in compose().values():
            if service["image"].startswith("otel-meta-examples"):
                program, argument, *_ = service["command"]
                path = (
                    argument.removeprefix("/app/")
                    if program == "python"
                    else f"examples/{argument.removesuffix(':app')}.py"
                )

                assert (ROOT / path).is_file()
                assert path in copied_paths() or "examples/" in copied_paths()

    def test_ignore_file_does_not_exclude_copied_path(self) -> None:
        """The ignore file does not exclude a copied path."""
        lines = (STACK / "Dockerfile.dockerignore").read_text().split()
        paths = [path.rstrip("/") for path in copied_paths()]
        patterns = {re.sub(r"stack/.*\.py", "stack/*.py", path) for path in paths}

        assert {f"!{pattern}" for pattern in patterns} <= set(lines)


class TestVersions:
    @pytest.mark.parametrize("name", ["collector", "prometheus", "alertmanager", "jaeger"])
    def test_image_has_version_that_tests_use(self, name: str) -> None:
        """An image has the version that the tests use."""
        tool, _ = lookup(name)
        images = {
            service["image"]
            for service in compose().values()
            if name in service["image"].partition(":")[0]
        }

        assert [tool.version] == [image.rpartition(":")[2].removeprefix("v") for image in images]

    def test_every_image_has_fixed_version(self) -> None:
        """Every image has a fixed version, and the manifests have images of the compose file."""
        files = (STACK / "compose.yaml", *STACK.rglob("kubernetes/*.yaml"))
        image_line = re.compile(r"^ *(?:- )?image: (\S+)$", re.MULTILINE)
        images = {image for file in files for image in image_line.findall(file.read_text())}

        assert {service["image"] for service in compose().values()} >= images
        assert all(re.search(r":v?\d+\.\d+\.\d+$|:local$", image) for image in images)
