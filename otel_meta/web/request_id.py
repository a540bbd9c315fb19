"""An id for each request: the caller's, if it gave one that is safe to log, else a new one."""

from __future__ import annotations

import re
import uuid
from typing import Final

_SAFE: Final = re.compile(r"[A-Za-z0-9._~:/+=-]{1,128}")


def request_id(given: str) -> str:
    """The id given in ``X-Request-ID``, or a new one where that is absent or could do harm."""
    return given if _SAFE.fullmatch(given) else uuid.uuid4().hex
