"""Checks of OTLP endpoints: what cannot work is found at start instead of at the first export."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from otel_meta.runtime.environment.variable import clip
from otel_meta.runtime.signals import SIGNALS, Signal

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_GRPC_TARGET: Final = re.compile(r"(dns|unix|unix-abstract|vsock|ipv4|ipv6|xds):")
"""Schemes of gRPC's own name syntax."""
_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_USER: Final = re.compile(r"(^|//)[^/@]*@")
_EXAMPLES: Final = {"http/protobuf": "http://localhost:4318", "grpc": "http://localhost:4317"}
_OTHER_PORTS: Final = {"http/protobuf": (4317, 4318), "grpc": (4318, 4317)}
"""By protocol: the standard port of the other protocol, and of this one."""
_PATHS: Final = {signal: f"/v1/{signal}" for signal in SIGNALS}


@dataclass(frozen=True)
class Endpoint:
    """The result of a check.

    Args:
        url: the endpoint to use, corrected if necessary; None if there is no usable one.
        problem: a description with the fix, after the name of the source; empty without problem.
        is_wrong: True if the text as given cannot work.
    """

    url: str | None
    problem: str = ""
    is_wrong: bool = False


def check_base(text: str, protocol: str, *, is_insecure: bool = False) -> Endpoint:
    """Check the endpoint of all signals.

    Args:
        text: the endpoint, without surrounding blanks.
        protocol: http/protobuf or grpc.
        is_insecure: True if gRPC uses no TLS for an endpoint without scheme.
    """
    if protocol == "grpc":
        return _check_grpc(text, is_insecure=is_insecure)
    return _check_http(text, _check_base_path)


def check_signal(text: str, signal: Signal, protocol: str, *, is_insecure: bool) -> Endpoint:
    """Check the endpoint of a single signal; arguments as for `check_base`."""
    if protocol == "grpc":
        return _check_grpc(text, is_insecure=is_insecure)
    return _check_http(text, lambda url, parts: _check_signal_path(url, parts, signal))


def shown(text: str) -> str:
    """Return an endpoint for messages, without user and password."""
    return clip(_USER.sub(r"\1***@", text))


def _check_http(text: str, check_path: Callable[[str, SplitResult], Endpoint]) -> Endpoint:
    has_scheme = _SCHEME.match(text) is not None
    url = text if has_scheme else f"http://{text}"
    problem = _problem_of_url(url, "http/protobuf")
    if problem or _GRPC_TARGET.match(text):
        return Endpoint(None, problem or _not_a_url("http/protobuf"), is_wrong=True)
    found = check_path(url, urlsplit(url))
    if not has_scheme and not found.is_wrong:
        return Endpoint(found.url, f"is not a URL; write it as {shown(url)}", is_wrong=True)
    return found if found.problem else Endpoint(url, _port_problem(url, "http/protobuf"))


def _check_base_path(url: str, parts: SplitResult) -> Endpoint:
    if parts.query or parts.fragment:
        problem = "has a query, but paths are appended to it; write the URL without the query"
        return Endpoint(None, problem, is_wrong=True)
    path = parts.path.rstrip("/")
    for ending in _PATHS.values():
        if path.endswith(ending):
            base = url.rstrip("/").removesuffix(ending)
            problem = f"ends in {ending}, but paths are appended to it; write it as {shown(base)}"
            return Endpoint(base, problem, is_wrong=True)
    return Endpoint(url)


def _check_signal_path(url: str, parts: SplitResult, signal: Signal) -> Endpoint:
    path, wanted = parts.path.rstrip("/"), _PATHS[signal]
    if not path:
        fixed = shown(url.rstrip("/") + wanted)
        return Endpoint(url, f"has no path, and none is appended; write it as {fixed}")
    for other, ending in _PATHS.items():
        if other != signal and path.endswith(ending):
            fixed = shown(url.rstrip("/").removesuffix(ending) + wanted)
            return Endpoint(url, f"is the URL of {other}; write it as {fixed}")
    return Endpoint(url)


def _check_grpc(text: str, *, is_insecure: bool) -> Endpoint:
    if _GRPC_TARGET.match(text):
        return Endpoint(text)
    has_scheme = _SCHEME.match(text) is not None
    url = text if has_scheme else f"http://{text}"
    problem = _problem_of_url(url, "grpc")
    if problem:
        return Endpoint(None, problem, is_wrong=True)
    if not has_scheme and not is_insecure:
        return Endpoint(
            text,
            f"has no scheme, so gRPC uses TLS; write http://{shown(text)} for a connection without "
            f"TLS, or https://{shown(text)}",
        )
    if urlsplit(url).port is None:
        return Endpoint(text, f"has no port, so gRPC uses 443; write it as {shown(url)}:4317")
    return Endpoint(text, _port_problem(url, "grpc"))


def _problem_of_url(url: str, protocol: str) -> str:
    if _NOT_IN_URL.search(url):
        return f"has a character that no URL has; {_write(protocol)}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return f"has an invalid port or address; {_write(protocol)}"
    if parts.scheme.lower() not in {"http", "https"}:
        return f"has the scheme {parts.scheme}; {_write(protocol)}"
    if not parts.hostname or port == 0:
        return f"has no host or port; {_write(protocol)}"
    return ""


def _port_problem(url: str, protocol: str) -> str:
    other, own = _OTHER_PORTS[protocol]
    if urlsplit(url).port != other:
        return ""
    wanted = "grpc" if protocol == "http/protobuf" else "http/protobuf"
    return (
        f"has port {other}, the port of {wanted}, but the protocol is {protocol}; "
        f"write port {own}, or set OTEL_EXPORTER_OTLP_PROTOCOL={wanted}"
    )


def _not_a_url(protocol: str) -> str:
    return f"is not a URL; {_write(protocol)}"


def _write(protocol: str) -> str:
    return f"write it as {_EXAMPLES[protocol]}"
