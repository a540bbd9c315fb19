from __future__ import annotations

import pytest

from otel_meta.status.slo_links import LinkBases, is_address, is_template, with_links
from otel_meta.status.status_json import BurningJson, StatusJson
from tests.status.status_rows import row

NOW = 1_768_478_400.0
ALL = LinkBases(
    runbooks="https://books.example/runbooks/",
    dashboards="https://grafana.example/d",
    traces="https://traces.example/?service={service}&start={from}000&end={to}000",
    logs="https://logs.example/?q={slo}",
)


def begin_of(one: StatusJson) -> float:
    """Return the seconds before now at which the links of a row begin."""
    link = LinkBases(logs="https://logs.example/{from}").links(one, NOW)["logs"]
    return NOW - int(link.rpartition("/")[2]) / 1000


class TestLinks:
    def test_every_base_makes_link_about_slo_and_service(self) -> None:
        """Every base makes a link with the SLO, the service and the time of the bad events."""
        links = ALL.links(row("acme-calls", service={"service_name": "a b&c"}), NOW)

        assert {
            "runbook": "https://books.example/runbooks/acme.md#acme-calls",
            "dashboard": "https://grafana.example/d/otel-meta-slo?var-service=a+b%26c"
            "&var-slo=acme-calls&from=1768474800000&to=1768478400000",
            "traces": "https://traces.example/?service=a%20b%26c"
            "&start=1768474800000000&end=1768478400000000",
            "logs": "https://logs.example/?q=acme-calls",
        } == links

    def test_without_base_there_is_no_link(self) -> None:
        """Without a base there is no link, and no key in the JSON."""
        (plain,) = with_links([row("acme-calls")], LinkBases(), NOW)
        (linked,) = with_links([row("acme-calls")], LinkBases(logs="https://logs.example"), NOW)

        assert "links" not in plain
        assert {"logs": "https://logs.example"} == linked.get("links")

    def test_links_cover_time_of_bad_events(self) -> None:
        """Links cover the burning window, the period of a breached SLO, or else the last hour."""
        window: BurningJson = {"severity": "page", "long": "6h", "short": "30m", "above": 6.0}
        rows = (row("a", burning=[window]), row("b", state="breached"), row("c"))

        assert [6 * 3600, 30 * 86_400, 3600] == [begin_of(one) for one in rows]


@pytest.mark.parametrize(
    ("text", "address", "template"),
    [
        ("https://a", True, True),
        ("http://a:1/b?c=d", True, True),
        ("https://a/{service}/{slo}?{from}-{to}", True, True),
        ("https://a/{other}", True, False),
        ("https://a/{}", True, False),
        ("https://a/{from", True, False),
        ("javascript:alert(1)", False, False),
        ("docs/runbooks", False, False),
        ("//a/b", False, False),
        ('https://a/"', False, False),
        ("https://a/\n", False, False),
        ("", False, False),
    ],
)
def test_only_addresses_of_http_are_bases(text: str, address: bool, template: bool) -> None:
    """Only absolute addresses of HTTP are bases, and templates have known placeholders."""
    assert (address, template) == (is_address(text), is_template(text))
