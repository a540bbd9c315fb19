"""How a server is reached: its address, credentials, tenant and certificates."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from otel_meta.errors import UsageError
from otel_meta.model.arguments import set_fields

TENANT: Final = "X-Scope-OrgID"
"""The header in which Mimir, Loki and Tempo read the tenant."""
_SCHEMES: Final = ("http", "https")
_NOT_IN_HOST: Final = {*" \t,;\\<>\"'"}
_LONGEST: Final = 86_400.0


@dataclass(frozen=True)
class Connection:
    """A Prometheus, or a server with the same HTTP API, and how it is reached.

    Raises:
        UsageError: the address is no URL, there are two kinds of credentials, a header cannot be
            sent, or the file of certificates cannot be read.
    """

    url: str
    """Base URL; a name and password in it become `user`. The queries go to ``/api/v1`` below."""
    _: KW_ONLY
    timeout: float = 10.0
    """Seconds until a query is given up."""
    token: str | None = field(default=None, repr=False)
    """Bearer token."""
    user: tuple[str, str] | None = field(default=None, repr=False)
    """Name and password of basic authentication."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """More headers of every request."""
    tenant: str | None = None
    """Tenant of Mimir; several are joined by ``|``."""
    ca_file: str | Path | None = None
    """Certificates that are trusted in place of those of the system, as PEM."""
    certificates: ssl.SSLContext = field(init=False, repr=False, compare=False)
    """The trusted certificates."""

    def __post_init__(self) -> None:
        parts = _split(self.url)
        if parts.username is not None:
            named = (unquote(parts.username), unquote(parts.password or ""))
            set_fields(self, user=self.user or named)
        set_fields(self, url=_plain(parts), certificates=_trusted(self.ca_file))
        if self.token is not None and self.user is not None:
            raise UsageError(f"{self.url}: has a token and a user; give one of them")
        if not 0 < self.timeout <= _LONGEST:
            raise UsageError(f"{self.url}: a time-out of {self.timeout} s; give 10, for example")
        for name, value in self.request_headers.items():
            _check_header(self.url, name, value)

    @property
    def request_headers(self) -> dict[str, str]:
        """The headers of every request, without those of basic authentication."""
        own = {"Accept": "application/json"}
        if self.token is not None:
            own["Authorization"] = f"Bearer {self.token}"
        if self.tenant is not None:
            own[TENANT] = self.tenant
        return own | dict(self.headers)


def _trusted(ca_file: str | Path | None) -> ssl.SSLContext:
    """Return the certificates of a file, or of the system.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise UsageError(f"CA file {ca_file}: has no certificate in the form PEM") from error
    except OSError as error:
        raise UsageError(f"CA file {ca_file}: {error.strerror}") from error


def _split(url: str) -> SplitResult:
    """Return the parts of a URL.

    Raises:
        UsageError: the text is no base URL; the error does not repeat credentials.
    """
    try:
        parts = urlsplit(url.strip())
        is_host = parts.hostname is not None and not set(parts.hostname) & _NOT_IN_HOST
        is_url = parts.scheme in _SCHEMES and is_host and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        shown = url.rpartition("@")[2]
        raise UsageError(f"{shown!r} is not a URL; write it as http://host:9090")
    if parts.query or parts.fragment:
        raise UsageError(f"{_plain(parts)}: give the base URL, without ? and # and what follows")
    return parts


def _plain(parts: SplitResult) -> str:
    """Return a URL without credentials, query and final slash."""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def _check_header(url: str, name: str, value: str) -> None:
    """Refuse a header that cannot be sent, without showing its value."""
    is_name = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not is_name or not value.isascii() or not value.isprintable():
        raise UsageError(f"{url}: the header {name!r} has a character that no header may have")
