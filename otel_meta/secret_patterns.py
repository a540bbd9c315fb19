r"""The secrets and personal data that leave no Collector, and the secrets that leave no process.

One list serves both. The patterns are for Go's regular expressions and Python's, without groups
that capture, which double the cost of a span in the Collector. None has a dollar sign, which
Kubernetes, Compose and the Collector each read in another way: the end of a text is ``\z``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

MASK: Final = "****"
"""What the Collector writes instead."""

SECRET_NAMES: Final = (
    "authorization",
    "cookie",
    "passw(?:or)?d",
    "passphrase",
    "secret",
    "credentials?",
    "(?:api|access|private)[._-]?key",
    "(?:access|refresh|id|auth|csrf)[._-]?token",
)
"""Names of secrets, also as a part of a longer name."""
SHORT_NAMES: Final = ("token", "pwd")
"""Names of secrets alone and at the end of a longer name: a ``token_count`` is none."""
_PERSONAL_NAMES: Final = ("e[._-]?mail",)
_VALUE: Final = r"""(?:\\*"[^"]*"|'[^']*'|(?:(?:bearer|basic|digest|token) +)?[^\s"',;&]+)"""
_FIRST_DIGITS: Final = "(?:4[0-9]{3}|5[1-5][0-9]{2}|6011)"
_ACCESS_KEYS: Final = (
    "(?:AKIA|ASIA)[A-Z0-9]{16}",  # AWS
    r"AIza[\w-]{35}",  # Google
    r"gh[oprsu]_\w{36}|github_pat_\w{22}",
    r"glpat-[\w-]{20}",
    r"xox[abeoprs]-[\w-]{10}",  # Slack
    r"[rs]k_(?:live|test)_\w{16}",  # Stripe
)


class TextPattern(NamedTuple):
    """A part of a text that is a secret, with what shows that it is one."""

    before: str
    """The text before, such as a name; a process keeps it, and the Collector masks it too."""
    secret: str
    after: str = ""
    flags: str = ""
    signs: tuple[str, ...] = ()
    """Texts in lower case of which one is in every match: to search for them is cheaper."""
    sign_ends: str = ""
    """The pattern of what stands behind the sign in every match."""

    @property
    def pattern(self) -> str:
        """The pattern of the whole."""
        return f"{self.flags}{self.before}{self.secret}{self.after}"


def name_patterns(names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the patterns of the names of fields and attributes with secret values.

    Args:
        names: patterns of further names.
    """
    return (
        rf"(?i)(?:^|[._-])(?:{'|'.join((*SECRET_NAMES, *names))})(?:[._-]|\z)",
        rf"(?i)(?:^|[._-])(?:{'|'.join(SHORT_NAMES)})\z",
    )


def text_patterns(names: Iterable[str] = (), signs: Iterable[str] = ()) -> tuple[TextPattern, ...]:
    """Return the patterns of secrets in a text.

    Args:
        names: patterns of further names whose values are secrets.
        signs: as `TextPattern.signs`, for the further names.
    """
    any_name = "|".join((*SECRET_NAMES, *SHORT_NAMES, *names))
    signs_of_names = (*_SIGNS_OF_NAMES, *signs)
    return (
        # Credentials in a URL; first, because their end looks like an e-mail address.
        TextPattern("://", r"[^/\s]+", "@", signs=("://",)),
        # The parameters of a URL.
        TextPattern(
            r"[?&#][A-Za-z0-9_.%\[\]-]+=",
            r"""[^\s"'<>]*""",
            signs=("?", "&", "#"),
            sign_ends=r"[a-z0-9_.%\[\]-]+=",
        ),
        # All cookies of a header, also in JSON.
        TextPattern(
            r"""cookie[\\"']*\s*[:=][\s\\"']*""", r"""[^"'\n]+""", flags="(?i)", signs=("cookie",)
        ),
        # A name and its value: password=..., "secret": "...", Authorization: Bearer ..., also in
        # JSON that is a text in JSON, as in a list of texts.
        TextPattern(
            rf"""(?:\b|_)(?:{any_name})[\\"']*\s*[:=]\s*""",
            _VALUE,
            flags="(?i)",
            signs=signs_of_names,
            sign_ends=r"""[a-z]{0,3}[\\"']*\s*[:=]""",
        ),
        # The same in the arguments of a command.
        TextPattern(
            rf"""--[a-z0-9-]*(?:{any_name})["',\s=]+""",
            r"""[^\s"',]+""",
            flags="(?i)",
            signs=("--",),
        ),
        *_NAMELESS,
    )


_SIGNS_OF_NAMES: Final = (
    "authorization",
    "passw",
    "passphrase",
    "secret",
    "credential",
    "key",
    "token",
    "pwd",
)
_E_MAIL: Final = TextPattern("", "[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)+")
_NAMELESS: Final = (
    # The value of an Authorization header.
    TextPattern(
        "(?:bearer|basic) +", "[a-z0-9._~+/-]{8,}=*", flags="(?i)", signs=("bearer ", "basic ")
    ),
    # A JSON Web Token.
    TextPattern("", r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", signs=("eyj",)),
    # An access key of a cloud or a service.
    TextPattern(
        "",
        rf"\b(?:{'|'.join(_ACCESS_KEYS)})[\w-]*",
        signs=(
            *("akia", "asia", "aiza", "glpat-", "xox", "k_live_", "k_test_"),
            *("gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_"),
        ),
    ),
    # A private key.
    TextPattern(
        "",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
        flags="(?s)",
        signs=("-----begin",),
    ),
)
_BANK_CARDS: Final = (
    # Visa, Mastercard and Discover; American Express.
    TextPattern("", rf"\b{_FIRST_DIGITS}(?:[ -]?[0-9]{{4}}){{3}}\b"),
    TextPattern("", r"\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b"),
)


def _blocked_values() -> tuple[str, ...]:
    texts = text_patterns(_PERSONAL_NAMES)
    named = texts[: -len(_NAMELESS)]
    return tuple(each.pattern for each in (*named, _E_MAIL, *_NAMELESS, *_BANK_CARDS))


BLOCKED_KEYS: Final = (*name_patterns(_PERSONAL_NAMES), r"^url\.query\z")
"""Keys of attributes whose values the Collector masks as a whole."""

BLOCKED_VALUES: Final = _blocked_values()
"""Parts of a text that the Collector masks."""

URL_ATTRIBUTES: Final = ("url.full", "http.url", "http.target")
"""Attributes that lose the query and the fragment of their URL, with and without parameters.

The last two are of instrumentation older than the stable semantic conventions.
"""
