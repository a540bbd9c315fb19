r"""The secrets and personal data that leave no Collector: one list for every text of every signal.

The patterns are for Go's regular expressions, without groups that capture, which double the cost
of a span. None has a dollar sign, which Kubernetes, Compose and
the Collector each read in another way: the end of a text is ``\z``.
"""

from __future__ import annotations

from typing import Final

MASK: Final = "****"

_SECRET_NAMES: Final = (
    "authorization",
    "cookie",
    "passw(?:or)?d",
    "passphrase",
    "secret",
    "credentials?",
    "(?:api|access|private)[._-]?key",
    "(?:access|refresh|id|auth|csrf)[._-]?token",
    "e[._-]?mail",
)
_NAMES: Final = "|".join(_SECRET_NAMES)
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

BLOCKED_KEYS: Final = (rf"(?i)(?:^|[._-])(?:{_NAMES})(?:[._-]|\z)", r"^url\.query\z")
"""Keys of attributes whose values are masked as a whole."""

BLOCKED_VALUES: Final = (
    # Credentials in a URL; first, because their end looks like an e-mail address.
    "://[^/@ ]+@",
    # The parameters of a URL.
    r"""[?&#][A-Za-z0-9_.%\[\]-]+=[^\s"'<>]*""",
    # All cookies of a header, also in JSON.
    r"""(?i)cookie[\\"']*\s*[:=][\s\\"']*[^"'\n]+""",
    # A name and its value: password=..., "secret": "...", Authorization: Bearer ..., also in JSON
    # that is a text in JSON, as in a list of texts.
    rf"""(?i)(?:\b|_)(?:{_NAMES})[\\"']*\s*[:=]\s*{_VALUE}""",
    # The same in the arguments of a command.
    rf"""(?i)--[a-z0-9-]*(?:{_NAMES})["',\s=]+[^\s"',]+""",
    # An e-mail address.
    "[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)+",
    # The value of an Authorization header.
    "(?i)(?:bearer|basic) +[a-z0-9._~+/-]{8,}=*",
    # A JSON Web Token.
    r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
    # An access key of a cloud or a service.
    rf"\b(?:{'|'.join(_ACCESS_KEYS)})[\w-]*",
    # A private key.
    r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    # A bank card: Visa, Mastercard and Discover; American Express.
    rf"\b{_FIRST_DIGITS}(?:[ -]?[0-9]{{4}}){{3}}\b",
    r"\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b",
)
"""Parts of a text that are masked."""

URL_ATTRIBUTES: Final = ("url.full", "http.url", "http.target")
"""Attributes that lose the query and the fragment of their URL, with and without parameters.

The last two are of instrumentation older than the stable semantic conventions.
"""
