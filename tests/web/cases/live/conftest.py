"""The servers, which start together and serve all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .served import COMMANDS, Served


@pytest.fixture(scope="session")
def all_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    """Every server."""
    folder = tmp_path_factory.mktemp("served")
    servers = {name: Served(name, folder) for name in COMMANDS}
    try:
        for server in servers.values():
            server.wait_until_ready()
        yield servers
    finally:
        for server in servers.values():
            server.ask_to_stop()
        for server in servers.values():
            server.wait_until_stopped()


@pytest.fixture(scope="session", params=COMMANDS)
def served(request: pytest.FixtureRequest, all_served: dict[str, Served]) -> Served:
    """One server at a time."""
    return all_served[request.param]
