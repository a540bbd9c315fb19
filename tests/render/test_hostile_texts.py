"""Texts of the catalogue reach their readers unchanged, whatever a program takes them for."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from otel_meta.model import Catalog
from otel_meta.render.artifacts import Artifact, artifacts_of
from otel_meta.render.docs.markdown import code_span, folded, literal, table
from otel_meta.render.options import Options
from otel_meta.render.rules import rule_formats
from otel_meta.render.rules.alert_texts import literal as template_text
from otel_meta.testing.servers import PROMETHEUS, Backend
from tests.render.hostile import ALL, HOSTILE, TEXTS
from tests.rules.pinned_tools import tool
from tests.rules.prometheus_server import fetch
from tests.yaml_files import read_yaml

ARTIFACTS = artifacts_of(HOSTILE, Options())
TEXT_OF = {str(artifact.path): artifact.text for artifact in ARTIFACTS}
ONE_LINE = " ".join(ALL.split())
_TAGS = re.compile(r"</?(?:details|summary|table|tr|th|td)>")


def alerts(text: str) -> Iterator[dict[str, Any]]:
    """Yield the alerts of a rule file."""
    for group in read_yaml(text)["groups"]:
        yield from (rule for rule in group["rules"] if "alert" in rule)


def always_firing(text: str) -> str:
    """Return a rule file whose alerts fire at once, with their own texts."""
    rules = [
        {**rule, "expr": 'label_replace(vector(1), "service_name", "shop", "", "")', "for": "0s"}
        for rule in alerts(text)
    ]
    groups = [{"name": "g", "interval": "1s", "rules": rules}]
    return json.dumps({"groups": groups}, ensure_ascii=False)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Return the annotations of every alert, as a real Prometheus expands them."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "rules.json").write_text(always_firing(TEXT_OF["rules/hostile.alerting.yml"]))
    config = f"global: {{scrape_interval: 1h}}\nrule_files: ['{folder}/rules.json']\n"
    with Backend(program=PROMETHEUS, folder=folder, config=config, port=0) as server:
        url = server.wait_until_ready().url
        wanted = len(list(alerts(TEXT_OF["rules/hostile.alerting.yml"])))
        until = time.monotonic() + 30
        while time.monotonic() < until:
            found = json.loads(fetch(f"{url}/api/v1/alerts"))["data"]["alerts"]
            if len(found) >= wanted:
                return [alert["annotations"] for alert in found]
            time.sleep(0.2)
    pytest.fail("the alerts do not fire")


class TestRules:
    @pytest.mark.parametrize("form", ["prometheus", "mimir", "vmalert"])
    def test_prometheus_loads_the_rules(self, form: str, tmp_path: Path) -> None:
        """Prometheus loads the rules with their templates."""
        artifacts = artifacts_of(HOSTILE, Options(rule_format=form))
        files = [tmp_path / each.path.name for each in artifacts if each.path.parts[0] == "rules"]
        for path in files:
            artifact = next(each for each in artifacts if each.path.name == path.name)
            groups = {"groups": read_yaml(artifact.text)["groups"]}
            path.write_text(json.dumps(groups, ensure_ascii=False))
        command = [str(tool("promtool")), "check", "rules", "--lint=all", *map(str, files)]
        done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)

        assert 0 == done.returncode, done.stdout + done.stderr

    def test_notification_shows_the_text_as_declared(self, shown: list[dict[str, str]]) -> None:
        """A notification shows the text as declared, with nothing expanded in it."""
        texts = [text for annotations in shown for text in annotations.values()]

        assert not [text for text in texts if "error expanding" in text]
        assert [] == [
            annotations["description"]
            for annotations in shown
            if ONE_LINE not in annotations["description"]
            and "Ends in a brace {." not in annotations["description"]
            and "Nobody knows" not in annotations["description"]
            and "callers still reach" not in annotations["description"]
        ]
        assert any(text.startswith(ONE_LINE) for text in texts)

    def test_text_at_the_end_of_a_template_keeps_its_brace(
        self, shown: list[dict[str, str]]
    ) -> None:
        """A text that ends in a brace keeps the brace before a command of the template."""
        assert [] != [
            annotations
            for annotations in shown
            if annotations["summary"].endswith(": Ends in a brace {")
        ]

    @pytest.mark.parametrize("text", ["{{", "{", "{{{", "a {{{{ b }}", "}}", "{{ x", ""])
    def test_literal_has_no_command_of_its_own(self, text: str) -> None:
        """A text has no command besides the quoted braces."""
        commands = re.findall(r"{{(?:(?!}}).)*}}", template_text(text))

        assert {'{{ "{{" }}', '{{ "{" }}'} >= {*commands}


class TestHelm:
    def test_helm_restores_the_templates_of_alerts(self) -> None:
        """Helm's own templates are quoted braces, and restore the file of Prometheus' operator."""
        for file in rule_formats_of(HOSTILE):
            text = rule_formats.FORMATS["helm"](file)
            restored = re.sub(r'{{ "({{|}})" }}', r"\1", text)

            assert "{{" not in re.sub(r'{{ "({{|}})" }}', "", text)
            assert (
                read_yaml(rule_formats.FORMATS["prometheus-operator"](file))["spec"]
                == read_yaml(restored)["spec"]
            )


def rule_formats_of(catalog: Catalog) -> list[Any]:
    """Return the rule files of a catalogue."""
    from otel_meta.render.artifacts import rule_files  # noqa: PLC0415

    return list(rule_files(catalog, Options()))


class TestDashboards:
    def test_grafana_finds_no_variable_in_a_text(self) -> None:
        """Grafana finds no variable in a title or a description."""
        variable = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)")
        texts = [
            text
            for artifact in ARTIFACTS
            if artifact.path.parts[0] == "dashboards"
            for text in titles_of(json.loads(artifact.text))
        ]

        assert any("Dollars" in text for text in texts)
        assert [] == [text for text in texts if variable.search(text)]


def titles_of(node: Any) -> Iterator[str]:
    """Yield every title and description in a dashboard, except titles of links."""
    if isinstance(node, list):
        for each in node:
            yield from titles_of(each)
    elif isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        yield from (fields[key] for key in ("title", "description") if key in fields)
        for key, each in fields.items():
            if key not in {"links", "dataLinks"}:
                yield from titles_of(each)


class TestDocuments:
    def test_documents_have_no_html_of_the_catalogue(self) -> None:
        """Documents have no HTML besides the comment of the header and the tags of tables."""
        for artifact in documents():
            body = re.sub(r"^(```|~~~).*?^\1$", "", artifact.text, flags=re.MULTILINE | re.DOTALL)
            bare = re.sub(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)", "", body.partition("-->")[2])

            assert "<" not in _TAGS.sub("", bare), artifact.path

    def test_folded_table_escapes_its_texts(self) -> None:
        """A folded table escapes the texts of its summary and of its cells."""
        made = folded("a <b>", ["<i>"], [["x & <td>"]])

        assert "<summary>a &lt;b&gt;</summary>" in made
        assert "<th>&lt;i&gt;</th>" in made
        assert "<td>x &amp; &lt;td&gt;</td>" in made

    def test_section_of_slo_has_its_first_steps_and_its_escalation(self) -> None:
        """The section of an SLO has its first steps and the escalation of its owner as written."""
        runbook = TEXT_OF["docs/runbooks/hostile.md"].replace("&lt;", "<").replace("\\`", "`")

        assert 2 == runbook.count(f"The owner is hostile-team. {ONE_LINE}.\n\n**How")
        assert f"- {ALL}\n- {ALL}\n\n```promql\nup < 1\n```\n" in runbook

    def test_every_row_of_a_table_has_the_cells_of_its_head(self) -> None:
        """Every row of a table has as many cells as the head of the table."""
        for artifact in documents():
            for block in re.findall(r"(?:^\|.*\n?)+", artifact.text, re.MULTILINE):
                cells = {len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}

                assert 1 == len(cells), block

    def test_text_is_readable(self) -> None:
        """A text of the catalogue is in the documents, apart from the escapes of Markdown."""
        reference = TEXT_OF["docs/reference.md"].replace("\\|", "|").replace("&lt;", "<")

        assert ONE_LINE in reference.replace("\\`", "`")

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("a `b<c` d", "a `b<c` d"),
            ("a <b", "a &lt;b"),
            ("an ` alone", "an \\` alone"),
            ("``x`y`` <", "``x`y`` &lt;"),
            ("```\n<x>\n```", "```\n<x>\n```"),
            ("- `a\n- b` <c>", "- \\`a\n- b\\` &lt;c>"),
            ("Look:\n\n```promql\na < 1\n```", "Look:\n\n```promql\na < 1\n```"),
        ],
    )
    def test_code_of_a_text_stays_code(self, text: str, written: str) -> None:
        """Code of a text stays code; other signs of HTML and of code are escaped."""
        assert written == literal(text)

    @pytest.mark.parametrize(
        ("text", "span"), [("a", "`a`"), ("a`b", "``a`b``"), ("`a`", "`` `a` ``")]
    )
    def test_code_span_holds_backticks(self, text: str, span: str) -> None:
        """A span of code holds backticks."""
        assert span == code_span(text)

    def test_bar_in_a_cell_is_escaped(self) -> None:
        """A bar in a cell is escaped."""
        assert "| a\\|b |" in table(["x"], [["a|b"]])


def documents() -> Iterator[Artifact]:
    """Yield the generated documents of the catalogue."""
    yield from (artifact for artifact in ARTIFACTS if artifact.path.suffix == ".md")


def test_alertmanager_loads_its_configuration(tmp_path: Path) -> None:
    """Alertmanager loads the configuration of a catalogue with any text."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(TEXT_OF["stack/alertmanager.yml"])
    command = [str(tool("amtool")), "check-config", str(path)]

    assert 0 == subprocess.run(command, capture_output=True, check=False, timeout=60).returncode


def test_check_accepts_the_rules(tmp_path: Path) -> None:
    """The check of rules accepts the templates of any text."""
    from otel_meta.check.rule_lint import check  # noqa: PLC0415

    path = tmp_path / "hostile.yml"
    path.write_text(TEXT_OF["rules/hostile.alerting.yml"])

    assert () == check(HOSTILE, [path]).findings


def test_every_text_is_tried() -> None:
    """Every text of the list is part of the tried text."""
    assert all(text in ALL for text in TEXTS)
