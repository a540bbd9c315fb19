"""The project's table: where it is found, and what its mistakes are answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from otel_meta.cli.project.config_file import ProjectConfigError, read_config
from otel_meta.errors import UsageError

PutTable = Callable[[str], Path]


@pytest.fixture
def put(tmp_path: Path) -> PutTable:
    """Function that writes a table into pyproject.toml."""

    def write(table: str) -> Path:
        path = tmp_path / "pyproject.toml"
        path.write_text(f"[tool.otel_meta]\n{table}\n")
        return path

    return write


def problems(path: Path) -> list[str]:
    """Return the problems of a file, without the place of the table."""
    with pytest.raises(ProjectConfigError) as caught:
        read_config(path)
    place = f"{path}: [tool.otel_meta] "
    assert all(problem.startswith(place) for problem in caught.value.problems)
    return [problem.removeprefix(place) for problem in caught.value.problems]


class TestFound:
    @pytest.fixture
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A project whose subfolder is the working folder."""
        (tmp_path / "services" / "shop").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "services" / "shop")
        return tmp_path

    def test_table_of_folder_above_is_found(self, project: Path, put: PutTable) -> None:
        """The table of a folder above the working folder is found."""
        path = put('format = "mimir"')

        assert (path, {("format",): "mimir"}) == (read_config(None).path, read_config(None).values)

    def test_nearest_table_wins(self, project: Path, put: PutTable) -> None:
        """The nearest table wins; a file without the table is passed over."""
        put('format = "mimir"')
        (project / "services" / "shop" / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
        nearest = project / "services" / "pyproject.toml"
        nearest.write_text("[tool.otel_meta]\n")

        assert (nearest, {}) == (read_config(None).path, read_config(None).values)

    def test_search_ends_at_root_of_repository(self, project: Path, put: PutTable) -> None:
        """The search ends at the root of a repository: what is above belongs to others."""
        put('format = "mimir"')
        (project / "services" / ".git").mkdir()

        assert read_config(None).path is None

    def test_named_file_without_table_is_error(self, tmp_path: Path) -> None:
        """A named file without the table is an error."""
        path = tmp_path / "other.toml"
        path.write_text("[tool.other]\n")

        with pytest.raises(ProjectConfigError, match=r"other\.toml: has no table \[tool\.otel"):
            read_config(path)

    @pytest.mark.parametrize(
        ("content", "words"),
        [(b"[tool.otel_meta\n", "is not TOML"), (b"\xff", "is not TOML"), (None, "cannot read")],
    )
    def test_file_that_cannot_be_read_is_error(
        self, tmp_path: Path, content: bytes | None, words: str
    ) -> None:
        """A file that is missing, or is not TOML, is an error."""
        path = tmp_path / "pyproject.toml"
        if content is not None:
            path.write_bytes(content)

        with pytest.raises(UsageError, match=words):
            read_config(path)


WRONG = {
    'severitys = { page = "p" }': "severitys: is no key; did you mean 'severities'?",
    'kubernetes.name_space = "a"': "kubernetes.name_space: is no key; did you mean 'namespace'?",
    'receivers.teams.maps.pages = "a"': "teams.maps.pages: is no key; did you mean 'page'?",
    'xyz = "a"': "xyz: is no key; the keys are repos, only, installed, out",
    'kubernetes = "shop"': "kubernetes: is no table; it has the keys namespace, labels",
    "prometheus = 3.16": 'prometheus: is 3.16; write a text in quotes, such as "3.16"',
    'prometheus = "three"': "prometheus: 'three' is not a version; write it as \"3.16\"",
    'prometheus = "2.30"': "prometheus: '2.30' is too old; rules need Prometheus 2.42 or newer",
    'format = "mimmir"': "did you mean 'mimir'?",
    'only = "yes"': "only: is 'yes'; write true or false, without quotes",
    'repos = "a:B"': "repos: is 'a:B'; write a list, such as [\"module:Class\"]",
    'repos = [""]': "repos: is empty; write a text",
    'out = ""': "out: the name is empty; name a folder",
    'runbooks = "books.example"': "runbooks: 'books.example' is not a URL; write it as https://",
    'runbooks = "https://x/ y"': "runbooks: 'https://x/ y' is not a URL",
    'dashboards = "https://"': "dashboards: 'https://' is not a URL",
    'runbooks = "https://x/{{ $labels.a }}"': "is not a URL; write it as https://host/path",
    'traces_url = "https://x/{trace}"': "is not a URL whose placeholders are of {service}, {slo}",
    "folders = []": "folders: is empty; name one at least, or remove the key",
    'identity.add = ["__name__"]': "identity.add: '__name__' is internal to Prometheus; begin",
    'labels = { __a = "x" }': "labels: has a wrong key: '__a' is internal to Prometheus",
    'severities = { pager = "x" }': "severities: has a wrong key: 'pager' is not one of page",
    "severities = { page = 1 }": "severities: has a wrong value of 'page': is 1; write a text",
    'labels = { team = "x" }': "labels: has the key 'team'; the generator sets it",
    'labels = { a-b = "x" }': "labels: has a wrong key: 'a-b' is not a label of Prometheus",
    'labels = { a = "{{ $value }}" }': "labels: has a wrong value of 'a': '{{ $value }}' has",
    'annotations = { a = "{{ oops" }': "annotations: has a wrong value of 'a': '{{ oops' has",
    'annotations = { a = "{{ oops }}" }': "has another template than {{ $labels.NAME }}",
    'annotations = { summary = "x" }': "annotations: has the key 'summary'; the generator sets it",
    'identity.add = ["pod"]': "identity.add: 'pod' differs between processes of one service; ch",
    'identity.add = ["slo"]': "identity.add: 'slo' tells series of one service apart",
    'identity.add = ["service_name"]': "identity.add: 'service_name' is part of every identity",
    'receivers.page = { name = "p" }': "receivers.page: has the keys ['name']; write { receiver =",
    'receivers.page = "pager"': "receivers.page: 'pager' is not a URL",
    'ticket_hours.time_zone = "Europe/Berlyn"': "did you mean 'Europe/Berlin'?",
    'ticket_hours.days = ["mon"]': "ticket_hours.days: 'mon' is no day; write \"friday\" or",
    'ticket_hours.days = ["friday:monday"]': "is no range of days; a week begins on monday",
    'ticket_hours.from = "9:00"': "ticket_hours.from: '9:00' is not a time; write it as \"09:00\"",
    'kubernetes.namespace = "A_B"': "kubernetes.namespace: 'A_B' is not a namespace",
    'kubernetes.labels = { "a b" = "x" }': "kubernetes.labels: has a wrong key: 'a b' is",
    'images = { grafana = "a/grafana" }': "'a/grafana' is not an image with a tag or a digest",
    'images = { grafanna = "a/b:1" }': "'grafanna' is not one of",
    'kubernetes.labels = { a = "b c" }': "has a wrong value of 'a': 'b c' is not a value",
    'check.metrics = ["node-*"]': "check.metrics: 'node-*' is not a metric",
    'check.labels = ["a-b"]': "check.labels: 'a-b' is not a label of Prometheus",
}


class TestMistakes:
    @pytest.mark.parametrize("table", WRONG)
    def test_mistake_is_answered_by_key_and_right_form(self, put: PutTable, table: str) -> None:
        """A mistake is answered by its key and the right form."""
        (problem,) = problems(put(table))

        assert WRONG[table] in problem

    def test_every_mistake_is_listed(self, put: PutTable) -> None:
        """Every mistake of a table is listed."""
        assert 2 == len(problems(put('only = 1\nformat = "x"')))

    def test_table_that_is_a_text_is_error(self, tmp_path: Path) -> None:
        """A text in the place of the table is an error."""
        path = tmp_path / "pyproject.toml"
        path.write_text('[tool]\notel_meta = "x"\n')

        with pytest.raises(ProjectConfigError, match="is no table; it has the keys repos, only"):
            read_config(path)
