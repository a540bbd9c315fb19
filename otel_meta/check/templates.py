"""Checks of the texts of an alert: labels, fields and functions of templates, and their queries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from otel_meta.model.arguments import nearest_name

from .finding import Diagnostic
from .go_template import FUNCTIONS, Action, NotATemplate, Token, parse_template
from .promql.label_checks import nearest_label
from .promql.series_type import Vector, may_have

_FIELDS: Final = ("Labels", "ExternalLabels", "ExternalURL", "Value")
"""The fields of an alert, as ``{{ .Value }}``."""
_VERB: Final = re.compile(r"%(?:\[\d+\])?[-+# 0-9.]*[a-z]")
_NUMERIC: Final = "defgx"
"""Verbs for numbers."""
FILLED: Final = "\ue000"
"""Stands in a query for a value that ``printf`` fills in."""


def template_diagnostics(text: str, vector: Vector) -> Iterator[Diagnostic]:
    """Yield the mistakes of a text, for an alert with these series."""
    try:
        actions = parse_template(text)
    except NotATemplate as error:
        near = nearest_name(error.part, FUNCTIONS)
        yield Diagnostic("template", f"its text is no template: {error}", near, error.part)
        return
    for action in actions:
        yield from _fields(action)
        yield from _labels(action, vector)


def queries(text: str) -> Iterator[str]:
    """Yield the expressions that a text evaluates; none of a text that cannot be parsed."""
    try:
        actions = parse_template(text)
    except NotATemplate:
        return
    for action in actions:
        yield from _queries(action.words)


def _labels(action: Action, vector: Vector) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each missing label; Prometheus would leave a gap."""
    for holder, shown in pairwise(action.tokens):
        if shown.kind == "field" and _holds_labels(action, holder):
            label = shown.text[1:]
            if not may_have(vector, label):
                message = f"its text shows the label {label}, which its expression does not have"
                near = nearest_label(label, vector)
                yield Diagnostic("template", message, near, label)


def _holds_labels(action: Action, token: Token) -> bool:
    return token.text == "$labels" or (token.text == ".Labels" and action.dot_is_alert)


def _fields(action: Action) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each unknown field of the alert; the text would be an error."""
    tokens = (Token("space", " "), *action.tokens)
    for before, token in pairwise(tokens):
        of_alert = before.kind == "space" or before.text in {"(", "|"}
        name = token.text[1:]
        if token.kind == "field" and of_alert and action.dot_is_alert and name not in _FIELDS:
            message = f"an alert has no field {name} in templates"
            yield Diagnostic("template", message, nearest_name(name, _FIELDS), name)


def _queries(words: tuple[Token, ...]) -> Iterator[str]:
    """Yield the argument of each call of ``query``, where the template spells it."""
    for at, word in enumerate(words):
        if word != Token("word", "query"):
            continue
        after = [token for token in words[at + 1 :] if token.text != "("]
        before = _command_before(words[:at])
        yield from _spelt(after if after and after[0].text not in {"|", ")"} else before)


def _command_before(words: tuple[Token, ...]) -> list[Token]:
    """Return the command that is piped into the next."""
    if not words or words[-1].text != "|":
        return []
    start = max((at + 1 for at, token in enumerate(words[:-1]) if token.text in "|(:="), default=0)
    return list(words[start:-1])


def _spelt(command: list[Token]) -> Iterator[str]:
    """Yield a string, or the format of a ``printf`` with its verbs filled in."""
    match command:
        case [Token("string", quoted), *_]:
            yield _unquoted(quoted)
        case [Token("word", "printf"), Token("string", quoted), *_]:
            yield _VERB.sub(_filled, _unquoted(quoted)).replace("%%", "%")
        case _:
            return


def _filled(verb: re.Match[str]) -> str:
    if verb[0][-1] in _NUMERIC:
        return "1"
    return f'"{FILLED}"' if verb[0].endswith("q") else FILLED


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text[1:-1]
