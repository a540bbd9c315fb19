"""Go templates in the texts of alerts: the actions between ``{{`` and ``}}``.

Prometheus loads no rule file with a template that cannot be parsed. The parser here finds the same
mistakes: unknown functions and variables, unclosed actions and blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

FUNCTIONS: Final = frozenset(
    """
    args externalURL first graphLink humanize humanize1024 humanizeDuration humanizePercentage
    humanizeTimestamp label match now parseDuration pathPrefix query reReplaceAll safeHtml
    sortByLabel stripDomain stripPort strvalue tableLink title tmpl toDuration toLower toTime
    toUpper urlQueryEscape value
    and call eq ge gt html index js le len lt ne not or print printf println slice urlquery
    """.split()  # noqa: SIM905 - one line of words reads better than a list
)
"""Functions of Prometheus' templates (template/template.go of Prometheus 3.16, and
https://prometheus.io/docs/prometheus/latest/configuration/template_reference/), and of Go's
(https://pkg.go.dev/text/template#hdr-Functions)."""

VARIABLES: Final = frozenset({"$", "$labels", "$externalLabels", "$externalURL", "$value"})
"""Variables that Prometheus defines for the texts of alerts."""

_OPENING: Final = frozenset({"block", "define", "if", "range", "with"})
_KEYWORDS: Final = _OPENING | {"break", "continue", "else", "end", "template"}
_CONSTANTS: Final = frozenset({"false", "nil", "true"})
_CHANGES_DOT: Final = frozenset({"block", "define", "range", "with"})

_COMMENT: Final = re.compile(r"(?:- )?\s*/\*.*?\*/\s*-?}}", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
    | (?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])+')
    | (?P<variable>\$\w*)
    | (?P<field>\.[^\W\d]\w*)
    | (?P<number>[+-]?\.?\d[\w.]*)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>:=|[.=|(),])
    """,
    re.VERBOSE,
)


class NotATemplate(ValueError):
    """The text cannot be parsed; `part` is its wrong part."""

    def __init__(self, message: str, part: str = "") -> None:
        super().__init__(message)
        self.part = part


class Token(NamedTuple):
    """A word, a sign or a string of an action."""

    kind: str
    text: str


@dataclass(frozen=True)
class Action:
    """The tokens between ``{{`` and ``}}``; spaces are kept."""

    tokens: tuple[Token, ...]
    dot_is_alert: bool
    """True where the dot is the data of the alert, outside of ``range`` and ``with``."""

    @property
    def words(self) -> tuple[Token, ...]:
        """The tokens without spaces."""
        return tuple(token for token in self.tokens if token.kind != "space")


def parse_template(text: str) -> list[Action]:
    """Parse a template.

    Raises:
        NotATemplate: Prometheus would refuse the text.
    """
    blocks = _Blocks()
    actions = [blocks.action(tokens) for tokens in _actions(text)]
    if blocks.opened:
        raise NotATemplate(f"{{{{ {blocks.opened[-1].word} }}}} has no {{{{ end }}}}")
    return actions


def _actions(text: str) -> Iterator[tuple[Token, ...]]:
    at = text.find("{{")
    while at >= 0:
        comment = _COMMENT.match(text, at + 2)
        if comment:
            end = comment.end()
        else:
            tokens, end = _tokens(text, at)
            yield tokens
        at = text.find("{{", end)


def _tokens(text: str, start: int) -> tuple[tuple[Token, ...], int]:
    """Return the tokens of an action, and its end."""
    at = start + (3 if re.match(r"{{-\s", text[start : start + 4]) else 2)
    tokens: list[Token] = []
    while not (closing := re.compile(r"(?:(?<=\s)-)?}}").match(text, at)):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotATemplate(_unreadable(text[at:]), text[start:at].strip())
        if found[0] == "." and tokens and tokens[-1].kind in {"variable", "field", "word"}:
            raise NotATemplate("no name follows a dot", tokens[-1].text)
        tokens.append(Token(str(found.lastgroup), found[0]))
        at = found.end()
    return tuple(tokens), closing.end()


def _unreadable(rest: str) -> str:
    if not rest:
        return "an action {{ is not closed by }}"
    return f"an action has the character {rest[0]}, which is not allowed there"


@dataclass
class _Block:
    """An open block, and the variables that its inside defines."""

    word: str
    variables: set[str] = field(default_factory=set[str])
    has_else: bool = False


@dataclass
class _Blocks:
    """The open blocks at a place in a template."""

    opened: list[_Block] = field(default_factory=list[_Block])
    variables: set[str] = field(default_factory=set[str])

    def action(self, tokens: tuple[Token, ...]) -> Action:
        """Check an action, and return it with the meaning of its dot."""
        action = Action(tokens, not any(block.word in _CHANGES_DOT for block in self.opened))
        words = action.words
        keyword = words[0].text if words and words[0].text in _KEYWORDS else ""
        _check_words(words, keyword)
        if keyword == "end":
            self._close()
        elif keyword == "else":
            self._restart(words)
        elif keyword in _OPENING:
            self.opened.append(_Block(keyword))
        self._check_variables(words, in_range=keyword == "range")
        return action

    def _close(self) -> None:
        if not self.opened:
            raise NotATemplate("{{ end }} ends no block", "end")
        self.opened.pop()

    def _restart(self, words: tuple[Token, ...]) -> None:
        if not self.opened or self.opened[-1].has_else:
            raise NotATemplate("{{ else }} belongs to no block", "else")
        self.opened[-1].variables.clear()
        self.opened[-1].has_else = len(words) == 1
        if words[1:] and words[1].text not in {"if", "with"}:
            raise NotATemplate(f"{{{{ else {words[1].text} }}}} is not allowed", "else")

    def _check_variables(self, words: tuple[Token, ...], *, in_range: bool) -> None:
        declared = set(_declared(words, in_range=in_range))
        known = VARIABLES | self.variables.union(*(block.variables for block in self.opened))
        inner = self.opened[-1].variables if self.opened else self.variables
        for token in words:
            if token.kind == "variable" and token.text not in known | declared:
                raise NotATemplate(f"the variable {token.text} is not defined", token.text)
        inner |= declared


def _declared(words: tuple[Token, ...], *, in_range: bool) -> Iterator[str]:
    """Yield the variables before ``:=`` and ``=``; a range may declare two."""
    for at, token in enumerate(words):
        if token.text in {":=", "="}:
            yield words[at - 1].text
            if in_range and words[max(0, at - 2)].text == ",":
                yield words[at - 3].text


def _check_words(words: tuple[Token, ...], keyword: str) -> None:
    if not words:
        raise NotATemplate("an action {{ }} is empty")
    if keyword in _OPENING | {"template"} and len(words) == 1:
        raise NotATemplate(f"{{{{ {keyword} }}}} has no argument", keyword)
    _check_brackets(words)
    _check_pipes(words)
    after = 2 if keyword == "else" else 1 if keyword else 0
    for token in words[after:]:
        if token.kind == "word" and token.text not in FUNCTIONS | _CONSTANTS:
            raise NotATemplate(f"there is no function {token.text} in templates", token.text)


def _check_brackets(words: tuple[Token, ...]) -> None:
    depth = 0
    for token in words:
        depth += (token.text == "(") - (token.text == ")")
        if depth < 0:
            raise NotATemplate("an action has a ) without (")
    if depth:
        raise NotATemplate("an action has a ( without )")


def _check_pipes(words: tuple[Token, ...]) -> None:
    """Refuse a pipe without a command before it; Go accepts a pipe at the end."""
    texts = ["(", *(token.text for token in words), ")"]
    for before, at, after in zip(texts, texts[1:], texts[2:], strict=False):
        if at == "|" and before in {"(", "|", ":=", "="}:
            raise NotATemplate("a | has no value before it")
        if at in {":=", "="} and after == ")":
            raise NotATemplate(f"no value follows {at}")
