"""A made incident, as series of a server: one route fails on one instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_meta.render.rules import series_names
from otel_meta.repos import Titan
from tests.rules.raw_series import label_text

SLO = Titan.service_availability
BEGIN = 1_767_225_600
HOURS = 9
TIMES = range(BEGIN, BEGIN + HOURS * 3600 + 1, 60)
END = TIMES[-1]
FAULT = 20
"""Minutes of the incident, which lasts until the end."""
HOSTILE = '/ord"ers\\`{{x}}'
"""The route that fails, with every sign that a query or a template could misread."""
INSTANCES = ("a:1", "b:1", "c:1")
COUNTER = "http_server_request_duration_seconds_count"
SERVICE = {"service_namespace": Titan.name, "service_name": "payments"}
OTHER = {**SERVICE, "service_name": "billing"}


def history(route: str = HOSTILE) -> Mapping[str, str]:
    """Return every series, with the route that fails."""
    return dict((*requests(route), *recordings()))


def requests(bad_route: str) -> Iterator[tuple[str, str]]:
    """Yield the counters of all requests; the last route always fails a little."""
    for service in (SERVICE, OTHER):
        for route in (bad_route, "/items", "/search"):
            for instance in INSTANCES:
                labels = {**service, "http_route": route, "instance": instance}
                failing = service is SERVICE and (route, instance) == (bad_route, "b:1")
                yield COUNTER + label_text(labels), _counter(100, 60 if failing else 100)
                failed = {**labels, "error_type": "503", "http_response_status_code": "503"}
                usual = 2 if route == "/search" else 0
                yield COUNTER + label_text(failed), _counter(usual, 40 if failing else usual)


def _counter(before: float, after: float) -> str:
    """Return a counter in promtool's notation: its increments until the fault, and from then on."""
    usual = HOURS * 60 - FAULT
    return f"0+{before}x{usual} {before * usual + after}+{after}x{FAULT - 1}"


def recordings() -> Iterator[tuple[str, str]]:
    """Yield the recordings that a status is made of."""
    for service, ratio, bad in ((SERVICE, "0.01", 1), (OTHER, "0.0001", 0)):
        labels = label_text({**service, "slo": SLO.name})
        minutes = HOURS * 60
        for name in (series_names.COMPLIANT, series_names.COVERAGE):
            yield name + labels, f"1x{minutes}"
        yield series_names.TOTAL_CUMULATIVE + labels, f"0+900x{minutes}"
        yield series_names.BAD_CUMULATIVE + labels, f"0+{bad}x{minutes}"
        for span in {*SLO.burn_lookbacks()}:
            yield series_names.bad(span) + labels, f"800x{minutes}"
            late = f"{ratio}x{minutes - FAULT} {10 * float(ratio)}x{FAULT - 1}"
            usual = f"0.0005x{minutes - FAULT} {10 * float(ratio)}x{FAULT - 1}"
            yield series_names.error_ratio(span) + labels, usual if str(span) == "5m" else late
