"""The choices of a project: the table under the command line, and what fits together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_meta.cli import main
from otel_meta.cli.project.config_file import ProjectConfigError
from otel_meta.cli.project.project import Project, check_against
from otel_meta.model.identity import PLACES
from otel_meta.render.options import Foreign, Kubernetes, Options, TicketHours
from otel_meta.render.receivers import RECEIVERS, Existing, Webhooks
from otel_meta.repos import BUILTIN
from otel_meta.status.slo_links import LinkBases
from tests.cli.conftest import Command, Write
from tests.cli.project_from_options import project_of
from tests.yaml_files import read_yaml

Choose = Callable[..., Project]

ATLAS = """\
from otel_meta import Counter, MetaRepo, NoLabels
class Atlas(MetaRepo, name="atlas", owner="maps"):
    '''Maps.'''
    views = Counter("atlas.views", "Views.", NoLabels)
"""
DIGEST = f"sha256:{'0' * 64}"
FULL = """\
repos = ["atlas:Atlas"]
only = true
out = "deploy"
folders = ["rules", "stack"]
format = "mimir"
prometheus = "3.16"
identity.add = ["region"]
severities = { page = "critical", ticket = "warning" }
labels = { tier = "gold" }
annotations = { chat = "https://chat.example/{{ $labels.service_name }}" }
runbooks = "https://books.example/"
dashboards = "https://grafana.example/d"
traces_url = "https://traces.example/{service}"
logs_url = "https://logs.example/{slo}"
receivers.page = "https://pager.example"
receivers.ticket = { receiver = "jira" }
receivers.watchdog = "https://dead.example"
receivers.teams.maps.page = { receiver = "maps-pager" }
ticket_hours.time_zone = "Europe/Berlin"
ticket_hours.days = ["monday:thursday"]
ticket_hours.from = "08:00"
ticket_hours.to = "24:00"
kubernetes = { namespace = "monitoring", labels = { release = "kube-prometheus-stack" } }
images = { grafana = "mirror.example/grafana:12.3.1" }
jobs = ["nightly"]
check = { metrics = ["node_*"], labels = ["pod"] }
"""


@pytest.fixture
def choose(here: Path) -> Choose:
    """Function that returns the project of a table and of arguments."""

    def read(table: str, *arguments: str) -> Project:
        (here / "pyproject.toml").write_text(f"[tool.otel_meta]\n{table}\n")
        return project_of(*arguments)

    return read


class TestOptions:
    def test_every_key_reaches_the_options(self, choose: Choose, here: Path) -> None:
        """Every key of the table reaches the options of the generators."""
        project = choose(FULL)
        options = project.options

        assert (("atlas:Atlas",), here / "deploy", ("rules", "stack")) == (
            project.repos,
            project.out,
            project.folders,
        )
        assert ("mimir", (3, 16), (*PLACES, "region"), ("nightly",)) == (
            options.rule_format,
            options.prometheus,
            options.identity.places,
            options.jobs,
        )
        assert {"page": "critical", "ticket": "warning"} == options.severities
        assert {"tier": "gold"} == options.alert_labels
        assert {"chat": "https://chat.example/{{ $labels.service_name }}"} == (
            options.alert_annotations
        )
        assert "https://books.example/slo-burn.md" == options.links.runbook("slo-burn")
        assert "https://grafana.example/d/uid" == options.links.dashboard("uid")
        assert Webhooks(page="https://pager.example", ticket=Existing("jira")) == (
            options.receivers.default
        )
        assert project.slo_links == LinkBases(
            runbooks="https://books.example",
            dashboards="https://grafana.example/d",
            traces="https://traces.example/{service}",
            logs="https://logs.example/{slo}",
        )
        assert "https://dead.example" == options.receivers.watchdog
        assert {"maps": Webhooks(page=Existing("maps-pager"), ticket=Existing("jira"))} == (
            options.receivers.teams
        )
        assert options.ticket_hours == TicketHours(
            time_zone="Europe/Berlin", days=("monday:thursday",), begin="08:00", end="24:00"
        )
        assert options.kubernetes == Kubernetes(
            namespace="monitoring", labels={"release": "kube-prometheus-stack"}
        )
        assert {"grafana": "mirror.example/grafana:12.3.1"} == options.images
        assert Foreign(metrics=("node_*",), labels=("pod",)) == options.foreign

    def test_empty_table_changes_nothing(self, choose: Choose) -> None:
        """With an empty table, the options are the defaults."""
        project = choose("")

        assert (Options(), Path(), ()) == (project.options, project.out, project.repos)

    def test_places_replace_default_places(self, choose: Choose) -> None:
        """Given places replace the default places; an added label comes behind."""
        project = choose('identity = { places = ["cluster"], add = ["tenant"] }')

        assert ("cluster", "tenant") == project.options.identity.places


class TestCommandLine:
    @pytest.mark.parametrize(
        ("arguments", "key", "expected"),
        [
            (("--prometheus", "2.50"), "prometheus", (2, 50)),
            (("--identity", "a", "--identity", "b"), "identity.add", ("a", "b")),
            (
                ("--severity", "page=urgent"),
                "severities",
                {"page": "urgent", "ticket": "warning"},
            ),
            (("--label", "a=b=c"), "labels", {"tier": "gold", "a": "b=c"}),
            (("--namespace", "shop"), "kubernetes.namespace", "shop"),
            (
                ("--kubernetes-label", "release=x"),
                "kubernetes.labels",
                {"release": "x"},
            ),
            (("--format", "vmalert"), "format", "vmalert"),
            (("--image", f"grafana=a/g@{DIGEST}"), "images", {"grafana": f"a/g@{DIGEST}"}),
            (("--page-webhook", "https://p"), "receivers.page", "https://p"),
            (("--repo", "b:B"), "repos", ("b:B",)),
        ],
    )
    def test_option_wins_over_table(
        self, choose: Choose, arguments: tuple[str, ...], key: str, expected: object
    ) -> None:
        """An option wins over the table; in a table of texts, name by name."""
        assert expected == choose(FULL, *arguments).value(key)

    def test_folder_of_option_is_not_below_file(self, choose: Choose) -> None:
        """The folder of --out is below the working folder, not below the file's folder."""
        assert Path("made") == choose(FULL, "--out", "made").out

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            (("--label", "tier"), "'tier' has no value; write it as name=value"),
            (("--severity", "pager=x"), "'pager' is not one of page, ticket; did you mean 'page'?"),
            (("--prometheus", "x"), "'x' is not a version"),
            (("--namespace", "A"), "'A' is not a namespace"),
            (("--config", "no.toml"), "cannot read no.toml"),
        ],
    )
    def test_wrong_option_is_error_of_one_line(
        self, refused: Callable[..., str], option: tuple[str, str], words: str
    ) -> None:
        """A wrong option is an error of one line."""
        assert words in refused("generate", *option)


class TestTogether:
    @pytest.mark.parametrize(
        ("table", "words"),
        [
            ('severities = { page = "a", ticket = "a" }', "severities: page and ticket have one"),
            (
                'severities = { page = "none" }',
                "severities: 'none' is the severity of the watchdog",
            ),
            ('ticket_hours.from = "08:00"', "ticket_hours: has no time_zone"),
            (
                'ticket_hours = { time_zone = "UTC", from = "22:00", to = "06:00" }',
                "ticket_hours: 22:00 to 06:00 is no span of a day",
            ),
            ('labels = { region = "x" }\nidentity.add = ["region"]', "labels: 'region' is a label"),
        ],
    )
    def test_keys_that_contradict_each_other_are_refused(
        self, choose: Choose, table: str, words: str
    ) -> None:
        """Keys that contradict each other are refused."""
        with pytest.raises(ProjectConfigError, match=words):
            choose(table)

    @pytest.mark.parametrize(
        ("table", "words"),
        [
            (
                'receivers.teams.sass-product.page = "https://p"',
                "receivers.teams.sass-product: owns no meta-repository; did you mean 'saas-produ",
            ),
            ('identity.add = ["outcome"]', "identity: 'outcome' is a label of .*; rename one"),
        ],
    )
    def test_table_that_does_not_fit_catalogue_is_refused(
        self, choose: Choose, table: str, words: str
    ) -> None:
        """A team that owns nothing, and a label of identity that a metric has, are refused."""
        with pytest.raises(ProjectConfigError, match=words):
            check_against(choose(table), BUILTIN)


class TestCommands:
    def test_generate_needs_no_arguments(
        self, otel_meta: Command, write: Write, tmp_path: Path
    ) -> None:
        """With the table, generate needs no arguments, in a folder below as well."""
        write("atlas", ATLAS)
        (tmp_path / "pyproject.toml").write_text(f"[tool.otel_meta]\n{FULL}")
        below = tmp_path / "below"
        below.mkdir()

        done = otel_meta("generate", cwd=below)

        assert (0, "") == (done.returncode, done.stderr)
        assert {"rules", "stack"} == {path.name for path in (tmp_path / "deploy").iterdir()}
        assert [] == list(below.iterdir())
        assert 0 == otel_meta("generate", "--check", cwd=below).returncode
        alerts = [
            rule
            for file in (tmp_path / "deploy" / "rules").iterdir()
            for group in read_yaml(file.read_text())["groups"]
            for rule in group["rules"]
            if "alert" in rule
        ]
        assert {"critical", "warning", "none"} == {rule["labels"]["severity"] for rule in alerts}
        assert {"gold"} == {rule["labels"]["tier"] for rule in alerts}
        assert {"https://chat.example/{{ $labels.service_name }}"} == {
            rule["annotations"]["chat"] for rule in alerts
        }

    @pytest.mark.parametrize("command", ["show", "check"])
    def test_commands_read_repos_of_table(
        self, otel_meta: Command, write: Write, tmp_path: Path, command: str
    ) -> None:
        """Show and check read the catalogue of the table."""
        write("atlas", ATLAS)
        (tmp_path / "pyproject.toml").write_text(f"[tool.otel_meta]\n{FULL}")

        done = otel_meta(command)

        assert (0, "") == (done.returncode, done.stderr)
        assert ("atlas" if command == "show" else "1 meta-repositories") in done.stdout
        assert "aurora" not in done.stdout

    def test_check_of_rules_knows_metrics_and_labels_of_table(
        self, otel_meta: Command, tmp_path: Path
    ) -> None:
        """The check of rules knows the foreign metrics and labels that the table names."""
        (tmp_path / "own.yml").write_text(
            "groups: [{name: a, rules: [{record: 'a:b:c', "
            "expr: 'sum by (shard) (otel_meta_up) + on () group_left () legacy_pool_size'}]}]"
        )
        before = otel_meta("check", "--rules", "own.yml")
        (tmp_path / "pyproject.toml").write_text(
            "[tool.otel_meta]\ncheck = { metrics = ['legacy_*'], labels = ['shard'] }\n"
        )
        after = otel_meta("check", "--rules", "own.yml")

        assert (1, True, True) == (
            before.returncode,
            "legacy_pool_size" in before.stdout,
            "shard" in before.stdout,
        )
        assert 0 == after.returncode, after.stdout

    def test_error_of_repo_names_file(self, refused: Callable[..., str], tmp_path: Path) -> None:
        """A meta-repository of the table that cannot be imported is an error with the file."""
        (tmp_path / "pyproject.toml").write_text('[tool.otel_meta]\nrepos = ["no_such:Atlas"]\n')

        assert f"repos of {tmp_path / 'pyproject.toml'}: no_such:Atlas" in refused("show")

    @pytest.mark.parametrize("command", ["generate", "check", "show"])
    def test_each_mistake_is_a_line_and_nothing_is_written(
        self, otel_meta: Command, tmp_path: Path, command: str
    ) -> None:
        """Each mistake of the table is a line; the exit code is 2, and no file is written."""
        (tmp_path / "pyproject.toml").write_text("[tool.otel_meta]\nonly = 1\nformat = 2\n")

        done = otel_meta(command)

        assert (2, "") == (done.returncode, done.stdout)
        assert ["only", "format"] == [
            line.partition("[tool.otel_meta] ")[2].partition(":")[0]
            for line in done.stderr.splitlines()
        ]
        assert ["pyproject.toml"] == [path.name for path in tmp_path.iterdir()]

    def test_teams_have_receivers_in_written_configuration(
        self, here: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The receivers of teams are in the written configuration of Alertmanager."""
        (here / "pyproject.toml").write_text(
            "[tool.otel_meta]\nfolders = ['stack']\n"
            'receivers.teams.saas-product.page = "https://saas.example"\n'
        )
        assert 0 == main(["generate"])
        config = read_yaml((here / "stack/alertmanager.yml").read_text())

        assert {"saas-product-page": "https://saas.example"} == {
            receiver["name"]: receiver["webhook_configs"][0]["url"]
            for receiver in config["receivers"]
            if receiver["name"] == "saas-product-page"
        }
        assert json.dumps(config).count(f'"{RECEIVERS.default.ticket}"') == 2
