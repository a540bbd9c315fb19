from __future__ import annotations

from otel_meta.render.collector.substitution import Value, resolve_variables


def test_reference_alone_becomes_number_or_boolean() -> None:
    """A reference alone becomes a number or boolean; a reference inside text stays text."""
    config: Value = {
        "port": "${env:PORT:-8888}",
        "insecure": "${env:INSECURE:-true}",
        "endpoint": "${env:HOST:-a}:${env:PORT:-8888}",
        "empty": "${env:NOTHING:-}",
        "list": ["x", 1, None, {"in": "${env:HOST:-a}"}],
    }
    environment = {"HOST": "b", "PORT": "1"}

    assert {
        "port": 1,
        "insecure": True,
        "endpoint": "b:1",
        "empty": "",
        "list": ["x", 1, None, {"in": "b"}],
    } == resolve_variables(config, environment)
