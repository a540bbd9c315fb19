"""The engines of server spans."""

from typing import Final

ENGINES: Final = ("meta", "contrib", "native")
