"""The six built-in meta-repositories. A seventh is declared in the same way."""

from otel_meta.model import Catalog

from .aurora import Aurora
from .chronos import Chronos
from .nebula import Nebula
from .obsidian import Obsidian
from .sentinel import Sentinel
from .titan import Titan

__all__ = ["BUILTIN", "Aurora", "Chronos", "Nebula", "Obsidian", "Sentinel", "Titan"]

BUILTIN = Catalog((Nebula, Sentinel, Chronos, Titan, Obsidian, Aurora))
