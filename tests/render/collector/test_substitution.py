from __future__ import annotations

from otel_meta.render.collector.substitution import settled


def test_kinds() -> None:
    """What a variable alone stands for gets its kind; inside of text it stays text."""
    config = {
        "port": "${env:PORT:-8888}",
        "insecure": "${env:INSECURE:-true}",
        "endpoint": "${env:HOST:-a}:${env:PORT:-8888}",
        "empty": "${env:NOTHING:-}",
        "list": ["x", 1, None, {"in": "${env:HOST:-a}"}],
    }
    given = {"HOST": "b", "PORT": "1"}

    assert {
        "port": 1,
        "insecure": True,
        "endpoint": "b:1",
        "empty": "",
        "list": ["x", 1, None, {"in": "b"}],
    } == settled(config, given)
