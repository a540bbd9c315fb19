"""Checks that volumes and probes in the manifests fit the queues of the Collectors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from otel_meta.render.collector.env_variables import (
    GATEWAY_QUEUE_BYTES,
    GATEWAY_QUEUE_FILE_BYTES,
    QUEUE_BYTES,
    QUEUE_FILE_BYTES,
    Variable,
)
from otel_meta.render.collector.queue_limits import COMPACTION_TRIGGER_MIB, MIB, file_bytes
from tests.render.stack.committed_stack import only

BY_HAND, BY_OPERATOR = "sidecar-by-hand.yaml", "sidecar-by-operator.yaml"
FIVE_MINUTES = 300


def size(text: str) -> int:
    """Return a quantity of Kubernetes in bytes."""
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()  # type: ignore[union-attr]
    return int(number) * MIB * {"Mi": 1, "Gi": 1024}[unit]


def sidecar_pod() -> Any:
    """Return the pod with a sidecar by hand."""
    return only("Deployment", BY_HAND)["spec"]["template"]["spec"]


def operator_spec() -> Any:
    """Return the specification of the sidecar by the operator."""
    return only("OpenTelemetryCollector", BY_OPERATOR)["spec"]


def gateway() -> Any:
    """Return the specification of the gateway's StatefulSet."""
    return only("StatefulSet", "gateway.yaml")["spec"]


def size_limit(volumes: Any) -> str:
    """Return the size of the volume of the queues in a pod."""
    (limit,) = (v["emptyDir"]["sizeLimit"] for v in volumes if v["name"] == "queue")
    return str(limit)


def need(file: Variable) -> int:
    """Return the bytes of both queues' full files, and of their copies in compaction."""
    return 2 * (int(file.default) + COMPACTION_TRIGGER_MIB * MIB)


def patience(probe: Any) -> int:
    """Return the seconds for which a probe may fail."""
    return int(probe["periodSeconds"] * probe["failureThreshold"])


class TestSizes:
    @pytest.mark.parametrize(
        ("queue", "file"),
        [(QUEUE_BYTES, QUEUE_FILE_BYTES), (GATEWAY_QUEUE_BYTES, GATEWAY_QUEUE_FILE_BYTES)],
    )
    def test_default_of_file_follows_from_default_of_queue(
        self, queue: Variable, file: Variable
    ) -> None:
        """The default size of a file follows from the default size of its queue."""
        assert str(file_bytes(int(queue.default))) == file.default

    def test_volume_of_sidecar_holds_full_files_and_copies(self) -> None:
        """The volume of a sidecar is larger than both full files, so that nothing is evicted."""
        by_hand, by_operator = (
            size(size_limit(sidecar_pod()["volumes"])),
            size(size_limit(operator_spec()["volumes"])),
        )

        assert by_hand == by_operator
        assert need(QUEUE_FILE_BYTES) <= by_hand

    def test_claim_of_gateway_holds_full_files_copies_and_file_system(self) -> None:
        """The claim of a gateway holds both full files, copies, and a file system's own data."""
        (claim,) = gateway()["volumeClaimTemplates"]
        storage = size(claim["spec"]["resources"]["requests"]["storage"])

        assert need(GATEWAY_QUEUE_FILE_BYTES) * 1.05 < storage

    def test_sidecar_requests_its_volume_from_node_without_limit(self) -> None:
        """A sidecar requests its volume from the node, and has no limit that counts other files."""
        (sidecar,) = sidecar_pod()["initContainers"]
        for resources in (sidecar["resources"], operator_spec()["resources"]):
            requested = resources["requests"]["ephemeral-storage"]

            assert size_limit(sidecar_pod()["volumes"]) == requested
            assert "ephemeral-storage" not in resources["limits"]


class TestPatience:
    def test_probes_wait_for_start_with_full_queues(self) -> None:
        """Startup probes, or the operator's liveness probe in their place, wait for minutes."""
        (sidecar,) = sidecar_pod()["initContainers"]
        (container,) = gateway()["template"]["spec"]["containers"]

        assert FIVE_MINUTES <= patience(sidecar["startupProbe"])
        assert FIVE_MINUTES <= patience(container["startupProbe"])
        assert FIVE_MINUTES <= patience(operator_spec()["livenessProbe"])

    def test_liveness_probes_wait_longer_than_a_pause(self) -> None:
        """Liveness probes wait for an answer for 5 s, and fail after a minute."""
        (sidecar,) = sidecar_pod()["initContainers"]
        (container,) = gateway()["template"]["spec"]["containers"]
        for probe in (sidecar["livenessProbe"], container["livenessProbe"]):
            assert (60, 5) == (patience(probe), probe["timeoutSeconds"])
