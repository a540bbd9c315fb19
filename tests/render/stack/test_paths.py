"""What the compose file names is there, at the version that the tests run."""

from __future__ import annotations

import re

import pytest

from tests.render.stack.support import (
    COLLECTORS,
    ROOT,
    STACK,
    collector,
    compose,
    copied,
    read,
)
from tests.rules.pinned_tools import build_tool


class TestPaths:
    def test_mounted(self) -> None:
        """Whatever is mounted is in the repository, or a volume of the file."""
        volumes = read("compose.yaml")["volumes"]
        sources = {v.split(":")[0] for one in compose().values() for v in one.get("volumes", ())}

        assert set(volumes) == {source for source in sources if not source.startswith(".")}
        for source in sources - set(volumes):
            assert (STACK / source).exists(), source

    def test_read(self) -> None:
        """Each configuration that a server is told to read is mounted there."""
        for service, one in compose().items():
            mounts = {volume.split(":")[1] for volume in one.get("volumes", ())}
            for argument in one.get("command", ()):
                flag, _, path = argument.partition("=")
                if flag in {"--config", "--config.file"}:
                    assert path in mounts, service

    def test_rules(self) -> None:
        """Rules are found by the same relative path here and in the container."""
        (pattern,) = read("prometheus.yml")["rule_files"]
        mounts = dict(v.split(":")[:2] for v in compose()["prometheus"]["volumes"])

        assert "../rules/*.yml" == pattern
        assert "/etc/rules" == mounts["../rules"]
        assert "/etc/prometheus/prometheus.yml" == mounts["./prometheus.yml"]
        assert list((STACK / "../rules").glob("*.yml"))

    def test_queues(self) -> None:
        """Every Collector keeps its queue on a volume of its own."""
        volumes = [
            volume.split(":")
            for service in COLLECTORS
            for volume in compose()[service]["volumes"]
            if not volume.startswith(".")
        ]
        folders = [
            collector(service)["extensions"]["file_storage/queue"]["directory"]
            for service in COLLECTORS
        ]

        assert folders == [where for _, where in volumes]
        assert len(COLLECTORS) == len({name for name, _ in volumes})

    def test_dockerfile(self) -> None:
        """What the image is made from is there, and what is run is in it."""
        assert copied()
        assert all((ROOT / source).exists() for source in copied())
        for one in compose().values():
            if one["image"].startswith("otel-meta-examples"):
                program, what, *_ = one["command"]
                path = (
                    what.removeprefix("/app/")
                    if program == "python"
                    else f"examples/{what[:-4]}.py"
                )

                assert (ROOT / path).is_file()
                assert path in copied() or "examples/" in copied()

    def test_ignored(self) -> None:
        """Docker is not kept from seeing what is copied."""
        kept = (STACK / "Dockerfile.dockerignore").read_text().split()
        patterns = {re.sub(r"stack/.*\.py", "stack/*.py", one.rstrip("/")) for one in copied()}

        assert {f"!{pattern}" for pattern in patterns} <= set(kept)


class TestVersions:
    @pytest.mark.parametrize("name", ["collector", "prometheus", "alertmanager", "jaeger"])
    def test_images(self, name: str) -> None:
        """An image has the version that the tests run."""
        tool, _ = build_tool().named(name)
        images = {
            one["image"] for one in compose().values() if name in one["image"].partition(":")[0]
        }

        assert [tool.version] == [image.rpartition(":")[2].removeprefix("v") for image in images]

    def test_pinned(self) -> None:
        """No image floats, in neither the compose file nor the manifests."""
        files = (STACK / "compose.yaml", *STACK.rglob("kubernetes/*.yaml"))
        named = re.compile(r"^ *(?:- )?image: (\S+)$", re.MULTILINE)
        images = {image for file in files for image in named.findall(file.read_text())}

        assert {one["image"] for one in compose().values()} >= images
        assert all(re.search(r":v?\d+\.\d+\.\d+$|:local$", image) for image in images)
