"""Labels without what is known to differ between the ways."""

from __future__ import annotations

from tests.backends.servers import Labels

_LEFT_OUT = frozenset({"job", "instance", "__unit__"})


def plain(labels: Labels) -> dict[str, str]:
    """Without job, instance and unit, and with one spelling of a bucket's bound."""
    kept = {name: value for name, value in labels.items() if name not in _LEFT_OUT}
    return kept | ({"le": str(float(kept["le"]))} if "le" in kept else {})
