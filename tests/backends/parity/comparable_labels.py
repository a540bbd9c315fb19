"""Labels of a series without the known differences between export paths."""

from __future__ import annotations

from tests.backends.alerting_servers import Labels

_KNOWN_DIFFERENCES = frozenset({"job", "instance", "__unit__"})


def comparable_labels(labels: Labels) -> dict[str, str]:
    """Return labels without job, instance and unit, and with one format for bucket bounds."""
    kept = {name: value for name, value in labels.items() if name not in _KNOWN_DIFFERENCES}
    return kept | ({"le": str(float(kept["le"]))} if "le" in kept else {})
