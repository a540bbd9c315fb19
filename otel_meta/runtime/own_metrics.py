"""What otel_meta says about itself, declared like anything else."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Counter, labels


@labels
class Fault:
    """Something that went wrong and was not raised."""

    source: str
    reason: str


FAULTS: Final = Counter(
    "otel_meta.faults",
    "Faults in recording, exporting and logging, none of which reached the application.",
    Fault,
    unit="{fault}",
)

UP: Final = "otel_meta.up"
"""1 for as long as the process exports: absent is dead, while present without events is idle."""
