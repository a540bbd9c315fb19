from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from otel_meta.runtime.lifecycle.server_workers import server_workers


def called_by(module: str, **variables: object) -> int:
    """Return the number of workers for a caller in a module with these local variables."""
    names = ", ".join(variables)
    namespace: dict[str, Any] = {"__name__": module, "server_workers": server_workers}
    exec(f"def start({names}): return server_workers()", namespace)
    workers: int = namespace["start"](**variables)
    return workers


class TestServerWorkers:
    @pytest.mark.parametrize(
        ("expected", "module", "variables"),
        [
            (3, "uvicorn._subprocess", {"config": SimpleNamespace(workers=3, reload=False)}),
            (1, "uvicorn._subprocess", {"config": SimpleNamespace(workers=3, reload=True)}),
            (1, "uvicorn.server", {"config": SimpleNamespace(workers=1, reload=False)}),
            (1, "uvicorn.server", {}),
            (4, "gunicorn.arbiter", {"self": SimpleNamespace(num_workers=4)}),
            (1, "gunicorn.workers.base", {"self": SimpleNamespace()}),
            (1, "service", {"config": SimpleNamespace(workers=3, reload=False)}),
        ],
    )
    def test_number_is_that_of_calling_server(
        self, expected: int, module: str, variables: dict[str, object]
    ) -> None:
        """The number of workers is that of the calling server, and 1 without a server."""
        assert expected == called_by(module, **variables)
