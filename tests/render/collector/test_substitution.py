from __future__ import annotations

import pytest

from otel_meta.render.collector.env_variables import Variable
from otel_meta.render.collector.substitution import Value, resolve_variables

PORT = Variable("PORT", "8888", "a port")
SHARE = Variable("SHARE", "10", "a percentage")
SECURE = Variable("SECURE", "true", "a choice")


def test_setting_determines_type_of_variable() -> None:
    """The setting determines the type of a variable, not the look of its value."""
    config: Value = {
        "text": str(PORT),
        "number": PORT.number,
        "share": SHARE.number,
        "flag": SECURE.flag,
        "text of a flag": str(SECURE),
        "endpoint": f"{Variable('HOST', 'a', '')}:{PORT}",
        "empty": "${env:NOTHING:-}",
        "list": ["x", 1, None, {"in": PORT.number}],
    }
    environment = {"HOST": "b", "PORT": "1", "SHARE": "12.5"}

    assert {
        "text": "1",
        "number": 1,
        "share": 12.5,
        "flag": True,
        "text of a flag": "true",
        "endpoint": "b:1",
        "empty": "",
        "list": ["x", 1, None, {"in": 1}],
    } == resolve_variables(config, environment)


@pytest.mark.parametrize(
    ("config", "error"),
    [(PORT.number, ValueError), (SECURE.flag, KeyError)],
    ids=["number", "flag"],
)
def test_value_of_another_type_is_an_error(config: Value, error: type[Exception]) -> None:
    """A value that is no number or no boolean is an error."""
    with pytest.raises(error):
        resolve_variables(config, {"PORT": "http", "SECURE": "maybe"})
