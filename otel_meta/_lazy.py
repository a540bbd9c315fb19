"""Public names that are imported on first use (PEP 562), for modules with costly imports.

Some of these modules need the extra ``sdk``; without it, the error of the import names the extra.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from .extras import ExtraImports


def lazy_names(
    module: str, homes: Mapping[str, str], public: Iterable[str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a module.

    Args:
        module: the name of the module.
        homes: the module that defines each lazy name, or that the name stands for.
        public: the names that ``dir()`` lists, besides the special names.
    """

    def load(name: str) -> object:
        if name not in homes:
            # With the object, Python suggests the nearest name.
            message = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=sys.modules[module])
        with ExtraImports("sdk", f"{module}.{name}"):
            home = import_module(homes[name])
        found = home if home.__name__ == f"{module}.{name}" else getattr(home, name)
        setattr(sys.modules[module], name, found)
        return found

    def names() -> list[str]:
        special = (name for name in vars(sys.modules[module]) if name.startswith("__"))
        return sorted({*special, *public})

    return load, names
