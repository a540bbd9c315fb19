"""Names that would be used twice are refused, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from types import new_class

import pytest

from otel_meta import measures
from otel_meta.cli import main
from otel_meta.errors import DeclarationError
from otel_meta.model import Alert, Catalog, Counter, MetaRepo, NoLabels, Slo
from otel_meta.render.artifacts import artifacts_of
from otel_meta.render.links import repo_dashboard
from otel_meta.render.options import Options
from otel_meta.repos import BUILTIN

Output = pytest.CaptureFixture[str]

LONG = "customer-facing-billing-europe"


def repo(name: str, slo: str = "", alert: str = "Many") -> type[MetaRepo]:
    """Return a meta-repository with a name, and an SLO and an alert if the SLO is named."""
    prefix = name.replace("-", "_")
    done = Counter(f"{prefix}.done", "Done.", NoLabels)
    lost = Counter(f"{prefix}.lost", "Lost.", NoLabels)
    attributes: dict[str, object] = {"done": done, "lost": lost}
    if slo:
        sli = done.ratio(bad=lost)
        attributes["many"] = Alert(
            name=alert,
            measure=measures.rate(lost, "1h"),
            above=1,
            severity="ticket",
            summary="Many.",
        )
        attributes["slo"] = Slo(slo, objective="99%", period="30d", sli=sli, why="Why.")
    return new_class(
        "Any", (MetaRepo,), {"name": name, "owner": "team"}, lambda body: body.update(attributes)
    )


class TestCollisions:
    @pytest.mark.parametrize(
        ("name", "what"),
        [
            ("cross", "file rules/cross.recording.yml"),
            ("telemetry", "file rules/telemetry.alerting.yml"),
            ("slo-tracking", "file dashboards/slo-tracking.json"),
            ("business-metrics", "file dashboards/business-metrics.json"),
        ],
    )
    def test_name_of_a_file_beside_the_meta_repositories_is_refused(
        self, name: str, what: str
    ) -> None:
        """The name of a file beside those of meta-repositories is refused, with the advice."""
        with pytest.raises(DeclarationError) as raised:
            artifacts_of(Catalog((repo(name),)), Options())

        assert f"{what}: would be generated 2 times; rename the meta-repository '{name}'" == str(
            raised.value
        )

    def test_slo_with_the_name_of_another_group_is_refused(self) -> None:
        """An SLO whose group of rules has the name of another group is refused."""
        with pytest.raises(DeclarationError) as raised:
            artifacts_of(Catalog((repo("one", slo="one"),)), Options())

        assert (
            "group one-alerts of one.alerting: would be generated 2 times; "
            "rename the meta-repository 'one' or the SLO 'one'"
        ) == str(raised.value)
        assert artifacts_of(Catalog((repo("two", slo="two-a"),)), Options())

    def test_slo_with_the_section_of_an_alert_is_refused(self) -> None:
        """An SLO and an alert whose sections of the runbook have one anchor are refused."""
        with pytest.raises(DeclarationError) as raised:
            artifacts_of(Catalog((repo("two", slo="overload", alert="Overload"),)), Options())

        assert (
            "section two.md#overload: would be generated 2 times; "
            "rename the meta-repository 'two' or the SLO 'overload'"
        ) == str(raised.value)

    @pytest.mark.parametrize("alert", ["SloNoData", "ServiceDown", "Watchdog"])
    def test_alert_with_the_name_of_a_generated_alert_is_refused(self, alert: str) -> None:
        """An alert with the name of a generated alert is refused: routes would take it for that."""
        with pytest.raises(DeclarationError) as raised:
            artifacts_of(Catalog((repo("one", slo="one-a", alert=alert),)), Options())

        assert (
            f"alert '{alert}': is an alert that the generator adds; choose another name"
        ) == str(raised.value)

    @pytest.mark.parametrize("form", ["prometheus", "prometheus-operator", "mimir", "vmalert"])
    def test_collision_is_refused_in_every_format(self, form: str) -> None:
        """A collision is refused in every format."""
        with pytest.raises(DeclarationError):
            artifacts_of(Catalog((repo("cross"),)), Options(rule_format=form))

    def test_six_have_no_collision(self) -> None:
        """The built-in meta-repositories have no collision."""
        assert artifacts_of(BUILTIN, Options())


class TestLongNames:
    @pytest.mark.parametrize("name", ["slo", "business"])
    def test_name_of_another_dashboard_has_uid_of_its_own(self, name: str) -> None:
        """A meta-repository named like another dashboard has a uid of its own."""
        assert f"otel-meta-{name}" != repo_dashboard(name)
        assert artifacts_of(Catalog((repo(name),)), Options())

    def test_long_names_with_one_beginning_have_uids_of_their_own(self) -> None:
        """Long names with the same beginning have different uids, of 40 characters at most."""
        catalog = Catalog((repo(f"{LONG}-east"), repo(f"{LONG}-west"), repo(LONG)))
        uids = [
            json.loads(artifact.text)["uid"]
            for artifact in artifacts_of(catalog, Options())
            if artifact.path.parts[0] == "dashboards"
        ]

        assert len(uids) == len({*uids})
        assert max(map(len, uids)) <= 40

    def test_short_name_is_its_own_uid(self) -> None:
        """A short name is part of the uid unchanged."""
        assert "otel-meta-" + "a" * 30 == repo_dashboard("a" * 30)
        assert "otel-meta-" + "a" * 31 != repo_dashboard("a" * 31)

    def test_name_of_more_than_63_characters_is_refused(self) -> None:
        """A name of more than 63 characters is refused at import."""
        assert repo("a" * 63)
        with pytest.raises(DeclarationError, match="has a name of 64 characters; use 63"):
            repo("a" * 64)


class TestCommands:
    MODULE = "from otel_meta import MetaRepo\nclass Cross(MetaRepo, name='cross', owner='o'): ...\n"

    @pytest.fixture(autouse=True)
    def module(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Write a module with a meta-repository that collides."""
        (tmp_path / "repo_that_collides.py").write_text(self.MODULE)
        monkeypatch.chdir(tmp_path)

    def test_generate_writes_nothing(self, capsys: Output) -> None:
        """``generate`` exits with 2 and one line, and writes nothing."""
        assert 2 == main(["generate", "--repo", "repo_that_collides:Cross", "--out", "out"])
        captured = capsys.readouterr()
        assert ("", 1) == (captured.out, len(captured.err.splitlines()))
        assert "would be generated 2 times; rename the meta-repository 'cross'" in captured.err
        assert not Path("out").exists()

    def test_check_reports_the_collision(self, capsys: Output) -> None:
        """``check`` reports the collision as a finding."""
        assert 1 == main(["check", "--repo", "repo_that_collides:Cross"])
        assert "rename the meta-repository 'cross'" in capsys.readouterr().out
