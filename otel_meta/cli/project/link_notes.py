"""A note about links of alerts that lead nowhere from a notification."""

from __future__ import annotations

from otel_meta.render.links import Links

from .project import Project


def link_notes(project: Project) -> list[str]:
    """Return a note about links that lead nowhere from a notification."""
    links, relative = project.options.links, Links()
    keys = [
        key for key in ("runbooks", "dashboards") if getattr(links, key) == getattr(relative, key)
    ]
    if not keys or "rules" not in project.folders:
        return []
    options = " and ".join(f"--{key} URL" for key in keys)
    note = (
        f"note: the links of alerts to {' and '.join(keys)} are relative, and lead nowhere from a "
        f"notification; add {options}, or the keys to [tool.otel_meta]"
    )
    return [note]
