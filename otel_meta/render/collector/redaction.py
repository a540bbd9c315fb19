"""What must not be stored: secrets and personal data in attributes, events and log bodies."""

from __future__ import annotations

from typing import Final

from .common_config import Config

REDACTION: Final = "redaction"
URLS: Final = "transform/urls"

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
_KEYS: Final = (
    rf"(?i)(^|[._-])({'|'.join(_SECRET_KEYS)})($$|[._-])",  # $$ is the Collector's way to write $
    r"^url\.query$$",
)
_EMAIL: Final = "[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+"
_VALUES: Final = (
    "://[^/@ ]+@",  # user and password in a URL; before mail addresses, which end like it
    _EMAIL,
    "(?i)(bearer|basic) +[a-z0-9._~+/-]{8,}=*",
    r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",  # a JSON Web Token
    r"\b(4[0-9]{3}|5[1-5][0-9]{2}|6011)[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b",  # a bank card
)
_URLS: Final = ("url.full", "http.url", "http.target")
"""The last two are what instrumentation before the stable conventions writes."""


def redaction() -> Config:
    """Masks what keys and values give away, and leaves no trace of what it masked."""
    return {
        "allow_all_keys": True,
        "blocked_key_patterns": list(_KEYS),
        "blocked_values": list(_VALUES),
        "summary": "silent",
    }


def urls() -> Config:
    """Cuts query strings, and masks addresses in what a span says of its error."""
    queries = (f'replace_pattern(span.attributes["{key}"], "[?#].*", "?****")' for key in _URLS)
    message = f'replace_pattern(span.status.message, "{_EMAIL}", "****")'
    return {"error_mode": "ignore", "trace_statements": [*queries, message]}
