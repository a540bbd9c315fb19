from __future__ import annotations

import pytest

from otel_meta.distro.launchers import is_launcher

SPAWNED = "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5, pipe_handle=7)"
TRACKER = "from multiprocessing.resource_tracker import main;main(5)"


@pytest.mark.parametrize(
    ("line", "environ"),
    [
        ("/venv/bin/uvicorn app:app --workers 4", {}),
        ("/venv/bin/uvicorn app:app --workers=4", {}),
        ("/venv/bin/uvicorn --reload app:app", {}),
        ("-m uvicorn app:app --reload", {}),
        ("-X dev -W error -u -m uvicorn app:app --reload", {}),
        ("/venv/bin/uvicorn app:app", {"WEB_CONCURRENCY": "2"}),
        ("/venv/bin/uvicorn app:app", {"UVICORN_WORKERS": "2"}),
        ("/venv/bin/uvicorn app:app", {"UVICORN_RELOAD": "true"}),
        ("/venv/bin/fastapi dev app.py", {}),
        ("/venv/bin/fastapi run app.py --workers 2", {}),
        ("/venv/bin/hypercorn app:app", {}),
        ("/venv/bin/hypercorn -w 2 app:app", {}),
    ],
)
def test_server_that_starts_processes_is_launcher(line: str, environ: dict[str, str]) -> None:
    """A server that starts its workers as new processes is a launcher."""
    assert is_launcher(["python", *line.split()], environ)


@pytest.mark.parametrize(
    ("line", "environ"),
    [
        ("", {}),
        ("/venv/bin/uvicorn app:app", {}),
        ("/venv/bin/uvicorn app:app --workers 1", {"WEB_CONCURRENCY": "4"}),
        ("/venv/bin/uvicorn app:app", {"WEB_CONCURRENCY": "many"}),
        ("/venv/bin/uvicorn app:app --workers", {}),
        ("/venv/bin/gunicorn app:app --workers 4 --reload", {"WEB_CONCURRENCY": "4"}),
        ("/venv/bin/fastapi dev app.py --no-reload", {}),
        ("/venv/bin/fastapi run app.py", {}),
        ("/venv/bin/hypercorn --workers 0 app:app", {}),
        ("serve.py uvicorn --reload", {}),
        ("-m shop.worker --workers 4", {}),
        ("-c pass --reload", {}),
    ],
)
def test_process_that_may_record_is_no_launcher(line: str, environ: dict[str, str]) -> None:
    """A process that runs an application, or may run one, is no launcher."""
    assert not is_launcher(["python", *line.split()], environ)


@pytest.mark.parametrize(("code", "expected"), [(SPAWNED, False), (TRACKER, True)])
def test_tracker_of_resources_is_launcher(code: str, expected: bool) -> None:
    """Of the processes of multiprocessing, only the one that runs no code of others counts."""
    assert expected == is_launcher(["python", "-c", code, "--multiprocessing-fork"], {})
