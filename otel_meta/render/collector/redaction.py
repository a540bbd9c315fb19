"""Redaction of secrets and personal data in attributes, events and log bodies."""

from __future__ import annotations

from typing import Final

from .common_config import Config

REDACTION: Final = "redaction"
URL_REDACTION: Final = "transform/urls"

_SECRET_KEYS: Final = (
    "authorization",
    "cookie",
    "passw(or)?d",
    "passphrase",
    "secret",
    "credentials?",
    "api[._-]?key",
    "(access|refresh|id|auth|csrf)[._-]?token",
    "e[._-]?mail",
)
_BLOCKED_KEYS: Final = (
    rf"(?i)(^|[._-])({'|'.join(_SECRET_KEYS)})($$|[._-])",  # the Collector reads $$ as $
    r"^url\.query$$",
)
_EMAIL: Final = "[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+"
_BLOCKED_VALUES: Final = (
    "://[^/@ ]+@",  # credentials in a URL; first, because their end looks like an e-mail address
    _EMAIL,
    "(?i)(bearer|basic) +[a-z0-9._~+/-]{8,}=*",
    r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",  # a JSON Web Token
    r"\b(4[0-9]{3}|5[1-5][0-9]{2}|6011)[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b",  # a bank card
)
_URL_ATTRIBUTES: Final = ("url.full", "http.url", "http.target")
"""The last two are of instrumentation older than the stable semantic conventions."""


def redaction() -> Config:
    """Return the processor that masks attributes with blocked keys, and blocked values.

    The processor adds no summary of the masked attributes.
    """
    return {
        "allow_all_keys": True,
        "blocked_key_patterns": list(_BLOCKED_KEYS),
        "blocked_values": list(_BLOCKED_VALUES),
        "summary": "silent",
    }


def url_redaction() -> Config:
    """Return the processor that masks query strings, and e-mail addresses in status messages."""
    queries = (
        f'replace_pattern(span.attributes["{key}"], "[?#].*", "?****")' for key in _URL_ATTRIBUTES
    )
    message = f'replace_pattern(span.status.message, "{_EMAIL}", "****")'
    return {"error_mode": "ignore", "trace_statements": [*queries, message]}
