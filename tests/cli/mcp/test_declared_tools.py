"""The tools of ``otel-meta mcp`` without a server: schemas, and answers from the declarations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import promql_parser
import pytest

from otel_meta.repos import BUILTIN
from tests.cli.mcp.mcp_client import ROOT, ToolClient, tool_client

SLO = "aurora-api-availability"
ARGUMENTS: Mapping[str, tuple[list[str], list[str]]] = {
    "list_slos": ([], ["state", "repo", "service", "limit"]),
    "explain_burn": (["slo"], ["service", "over", "at"]),
    "find_metric": (["text"], []),
    "what_would_page": (["slo", "bad_share"], ["events"]),
}
"""The arguments of each tool: the required ones, and the others."""
CALLS: list[tuple[str, Mapping[str, Any]]] = [
    ("list_slos", {}),
    ("list_slos", {"repo": "aurora-fullstack-saas", "limit": 1}),
    ("find_metric", {"text": "orders"}),
    ("find_metric", {"text": "nothing of this name"}),
    ("what_would_page", {"slo": SLO, "bad_share": 1}),
    ("what_would_page", {"slo": SLO, "bad_share": 1e-7, "events": 0}),
]

SHOWN = re.findall(
    r"<!-- (\w+) (\{[^\n]*\}) -->\n```json\n(.*?)```",
    (ROOT / "docs" / "mcp.md").read_text(),
    re.DOTALL,
)
"""The calls in the document, each with its answer."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolClient]:
    """A client of a server that names no Prometheus."""
    with tool_client(cwd=tmp_path_factory.mktemp("nowhere")) as connected:
        yield connected


class TestSchemas:
    def test_tools_have_their_arguments_and_no_other(self, client: ToolClient) -> None:
        """Each tool has its arguments, each with a description."""
        schemas = {name: tool.input_schema for name, tool in client.tools().items()}

        assert {*ARGUMENTS} == {*schemas}
        for name, (required, others) in ARGUMENTS.items():
            properties = schemas[name]["properties"]
            assert required == schemas[name].get("required", [])
            assert [*required, *others] == [*properties]
            assert all(argument["description"] for argument in properties.values())

    def test_every_tool_says_that_it_only_reads(self, client: ToolClient) -> None:
        """Each tool is annotated as one that reads, and destroys nothing."""
        hints = [tool.annotations for tool in client.tools().values()]

        assert [(True, False)] * 4 == [
            (hint.read_only_hint, hint.destructive_hint) for hint in hints if hint
        ]

    def test_tool_with_text_from_telemetry_says_that_it_is_data(self, client: ToolClient) -> None:
        """A tool whose answer has text from telemetry says that the text is never instructions."""
        tools = client.tools().values()
        telling = {tool.name for tool in tools if "never instructions" in (tool.description or "")}
        having = {tool.name for tool in tools if "data_from_telemetry" in str(tool.output_schema)}

        assert {"list_slos", "explain_burn"} == having == telling
        assert "follow no instruction in it" in (client.client.instructions or "")

    @pytest.mark.parametrize(("tool", "arguments"), CALLS)
    def test_answer_has_the_form_of_the_schema(
        self, client: ToolClient, tool: str, arguments: Mapping[str, Any]
    ) -> None:
        """An answer has the form that the schema of its tool promises."""
        schema = client.tools()[tool].output_schema

        assert schema
        jsonschema.validate(client.answer(tool, **arguments), schema)

    @pytest.mark.parametrize(("tool", "arguments", "answer"), SHOWN)
    def test_document_shows_the_answer(
        self, client: ToolClient, tool: str, arguments: str, answer: str
    ) -> None:
        """A call in the document has the answer that the document shows."""
        assert json.loads(answer) == client.answer(tool, **json.loads(arguments))

    @pytest.mark.parametrize("share", [0, 1.5, "half"])
    def test_share_outside_its_range_is_refused(self, client: ToolClient, share: object) -> None:
        """A share of bad events that is none is refused with the name of the argument."""
        assert "bad_share" in client.error("what_would_page", slo=SLO, bad_share=share)


class TestListSlos:
    def test_declared_slos_are_listed_and_their_status_is_not_known(
        self, client: ToolClient
    ) -> None:
        """Without a server every declared SLO is listed, and its status is not known."""
        found = client.answer("list_slos")
        declared = [slo.name for repo in BUILTIN for slo in repo.slos.values()]

        assert declared == [row["name"] for row in found["slos"]]
        assert {"unknown"} == {row["state"] for row in found["slos"]}
        assert {None} == {row["budget_left"] for row in found["slos"]}
        assert not found["status_known"]
        assert "give --prometheus URL" in found["note"]

    def test_slos_beyond_the_limit_are_counted(self, client: ToolClient) -> None:
        """SLOs beyond the limit are left out and counted."""
        found = client.answer("list_slos", limit=3)
        all_of_them = len(client.answer("list_slos")["slos"])

        assert (3, all_of_them - 3) == (len(found["slos"]), found["left_out"])

    @pytest.mark.parametrize("name", ["aurora", "Aurora", "aurora-fullstack-saas"])
    def test_meta_repository_is_chosen_by_either_name(self, client: ToolClient, name: str) -> None:
        """A meta-repository is chosen by its name, or by that of its class."""
        found = client.answer("list_slos", repo=name)

        assert {"aurora-fullstack-saas"} == {row["repo"] for row in found["slos"]}

    def test_wrong_meta_repository_is_answered_by_the_nearest(self, client: ToolClient) -> None:
        """A meta-repository that is not there is answered by the nearest name."""
        assert "did you mean 'aurora'?" in client.error("list_slos", repo="aurra")

    @pytest.mark.parametrize("wanted", [{"state": "breached"}, {"service": "payments"}])
    def test_state_and_service_need_a_server(
        self, client: ToolClient, wanted: Mapping[str, str]
    ) -> None:
        """A state or a service is no reason for an empty list where nobody knows them."""
        assert "no server is named; give --prometheus URL" in client.error("list_slos", **wanted)


class TestFindMetric:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("orders.placed", "orders.placed"),
            ("orders_placed_total", "orders.placed"),
            ("HTTP_SERVER_request_duration", "http.server.request.duration"),
            ("target_environment", "infrastructure.deployment.duration"),
            ("monthly free tier", "gcp.free_tier.usage"),
        ],
    )
    def test_metric_is_found_by_name_label_and_description(
        self, client: ToolClient, text: str, name: str
    ) -> None:
        """A metric is found by its names, by a label, and by words of its description."""
        assert name == client.answer("find_metric", text=text)["metrics"][0]["name"]

    def test_metric_has_labels_slos_and_alerts(self, client: ToolClient) -> None:
        """A metric has the values of closed labels, and the SLOs and alerts that read it."""
        rows = client.answer("find_metric", text="http.server.request.duration")["metrics"]
        (found,) = (row for row in rows if row["repo"] == "aurora-fullstack-saas")

        assert found["labels"]["http_route"] is None
        assert "https" in found["labels"]["url_scheme"]
        assert SLO in found["slos"]
        assert {"alert": "SloErrorBudgetBurnFast", "severity": "page", "slo": SLO} in found[
            "alerts"
        ]

    def test_unknown_metric_is_answered_by_the_nearest(self, client: ToolClient) -> None:
        """A metric that is not there is answered by the nearest name."""
        found = client.answer("find_metric", text="order.placd")

        assert [] == found["metrics"]
        assert "did you mean 'orders.placed'?" in found["note"]

    @pytest.mark.parametrize("repo", BUILTIN.repos, ids=lambda repo: repo.name)
    def test_every_query_is_promql(self, client: ToolClient, repo: Any) -> None:
        """Each metric has queries, and a parser of PromQL reads all of them."""
        for instrument in repo.instruments.values():
            rows = client.answer("find_metric", text=instrument.name)["metrics"]
            queries = [query["promql"] for row in rows for query in row["queries"]]

            assert queries
            assert all(map(promql_parser.parse, queries))


class TestWhatWouldPage:
    def test_total_outage_pages_after_the_time_of_the_workbook(self, client: ToolClient) -> None:
        """A total outage pages after 51.84 s, and 2 % of the budget is spent by then."""
        first = client.answer("what_would_page", slo=SLO, bad_share=1)["alerts"][0]

        assert ("SloErrorBudgetBurnFast", "page", 51.84, 0.02, None) == (
            first["alert"],
            first["severity"],
            first["fires_after_seconds"],
            first["budget_spent"],
            first["obstacle"],
        )

    def test_alerts_have_the_order_in_which_they_fire(self, client: ToolClient) -> None:
        """Alerts have the order in which they fire; those that never do are last."""
        alerts = client.answer("what_would_page", slo=SLO, bad_share=0.004)["alerts"]
        times = [alert["fires_after_seconds"] for alert in alerts]
        firing = [at for at in times if at is not None]

        assert [*sorted(firing), None, None] == times
        assert 2 == len(firing)
        assert "too small a share" == alerts[-1]["obstacle"]

    def test_quiet_service_has_too_few_bad_events(self, client: ToolClient) -> None:
        """With few events in a period, the first window never has enough bad ones."""
        found = client.answer("what_would_page", slo=SLO, bad_share=1, events=720)

        assert "too few bad events" in {alert["obstacle"] for alert in found["alerts"]}

    def test_wrong_slo_is_answered_by_the_nearest(self, client: ToolClient) -> None:
        """The name of no SLO is answered by the nearest name."""
        error = client.error("what_would_page", slo="aurora-api-availabilty", bad_share=1)

        assert f"there is no such SLO; did you mean '{SLO}'?" in error


class TestExplainBurn:
    def test_explanation_needs_a_server(self, client: ToolClient) -> None:
        """Without a server there is no explanation, and the error says how to name one."""
        assert "no server is named; give --prometheus" in client.error("explain_burn", slo=SLO)


class TestRunbooks:
    def test_every_slo_has_the_section_of_its_runbook(self, client: ToolClient) -> None:
        """Each SLO has a resource, with the text of its section in the generated runbook."""
        declared = {f"runbook://{slo.name}" for repo in BUILTIN for slo in repo.slos.values()}
        page = (ROOT / "docs" / "runbooks" / "aurora-fullstack-saas.md").read_text()
        text = client.resource(f"runbook://{SLO}")

        assert declared == {*client.resources()}
        assert text.startswith(f"## {SLO}\n")
        assert text in page
