"""Checks the paths and the image versions of the compose file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from otel_meta.cli import main
from otel_meta.render.hosts import IMAGES
from otel_meta.render.options import Options
from otel_meta.render.stack import stack_files
from otel_meta.repos import BUILTIN
from otel_meta.testing.pinned_tools import lookup
from tests.render.stack.committed_stack import (
    COLLECTORS,
    COMPOSE_FILES,
    ROOT,
    STACK,
    collector_config,
    compose,
    copied_paths,
    read,
)
from tests.rules.pinned_tools import tool
from tests.yaml_files import read_yaml


class TestPaths:
    def test_mounts_are_paths_of_repository_or_volumes_of_compose_file(self) -> None:
        """Mounts are paths of the repository, or volumes of the compose file."""
        volumes = [name for file in COMPOSE_FILES for name in read(file)["volumes"]]
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
        files = (*(STACK / name for name in COMPOSE_FILES), *STACK.rglob("kubernetes/*.yaml"))
        image_line = re.compile(r"^ *(?:- )?image: (\S+)$", re.MULTILINE)
        images = {image for file in files for image in image_line.findall(file.read_text())}

        assert {service["image"] for service in compose().values()} >= images
        assert {*IMAGES.values()} == images
        assert all(re.search(r":v?\d+\.\d+(\.\d+|-slim)$|:local$", image) for image in images)

    def test_option_replaces_image_in_every_file(self) -> None:
        """The option replaces an image in every file, for example by one with a digest."""
        pinned = {name: f"mirror.example/{name}@sha256:{'0' * 64}" for name in IMAGES}
        texts = dict(stack_files(BUILTIN, Options(images=pinned)))
        images = {
            image
            for text in texts.values()
            for image in re.findall(r"^ *(?:- )?image: (\S+)$", text, re.MULTILINE)
        }

        assert {*pinned.values()} == images


class TestGeneratedFolder:
    def test_compose_file_of_generated_folder_needs_only_generated_files(
        self, tmp_path: Path
    ) -> None:
        """The compose file of a generated folder needs only generated files, and builds nothing."""
        assert 0 == main(["generate", "--out", str(tmp_path)])
        services = read_yaml((tmp_path / "stack" / "compose.yaml").read_text())["services"]
        sources = {
            volume.split(":")[0]
            for service in services.values()
            for volume in service.get("volumes", ())
            if volume.startswith(".")
        }

        assert 10 <= len(sources)
        assert [] == [path for path in sources if not (tmp_path / "stack" / path).exists()]
        assert [] == [name for name, service in services.items() if "build" in service]

    def test_prometheus_of_generated_folder_scrapes_stack_only(self, tmp_path: Path) -> None:
        """Prometheus of a generated folder scrapes the stack, and none of the examples."""
        assert 0 == main(["generate", "--out", str(tmp_path)])
        targets = [path.name for path in (tmp_path / "stack" / "targets").iterdir()]
        done = subprocess.run(
            [tool("promtool"), "check", "config", tmp_path / "stack" / "prometheus.yml"],
            capture_output=True,
            text=True,
            check=False,
        )

        assert ["collectors.yml"] == targets
        assert 0 == done.returncode, done.stdout + done.stderr
