"""A real Collector reads every form in which its configuration reaches a user."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_meta.render._yaml import to_yaml
from otel_meta.render.collector.env_variables import SIDECAR_VARIABLES
from otel_meta.render.collector.sidecar import sidecar_config
from otel_meta.render.collector.substitution import resolve_variables
from otel_meta.testing.loopback import free_port
from otel_meta.testing.servers import COLLECTOR, Backend
from tests.backends.collector.collector_setup import AURORA
from tests.backends.collector.configuration_forms import Environment, Form, forms, other_values
from tests.backends.numbered_spans import SpanSink
from tests.backends.otlp_clients import send, span
from tests.rules.pinned_tools import tool
from tests.waiting import wait_until
from tests.yaml_files import read_yaml

FORMS = forms()
EXPECTED_KINDS = {
    "committed",
    "merged",
    "resolved",
    "compose",
    "ConfigMap",
    "OpenTelemetryCollector",
    "collector-config/README.md",
}


def validate(arguments: list[str], environment: Environment) -> str:
    """Return the errors of `otelcol validate`; empty for a valid configuration."""
    done = subprocess.run(
        [tool("otelcol"), "validate", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return done.stderr or ("" if done.returncode == 0 else f"status {done.returncode}")


def files(form: Form, folder: Path) -> list[str]:
    """Write the texts of a form into files, and return the arguments that name the files."""
    paths = [folder / f"{place}.yaml" for place in range(len(form.texts))]
    for path, text in zip(paths, form.texts, strict=True):
        path.write_text(text)
    return [f"--config={path}" for path in paths]


def as_kubelet_expands(text: str) -> str:
    """Expand the value of a container's variable: two dollar signs become one."""
    return text.replace("$$", "$")


class TestForms:
    def test_every_kind_of_form_is_found(self) -> None:
        """Every kind of form is found, so that no test passes for a lack of forms."""
        assert {k for k in EXPECTED_KINDS if not any(k in name for name in FORMS)} == set()

    @pytest.mark.parametrize("name", FORMS)
    def test_form_is_valid_with_its_own_variables(self, name: str, tmp_path: Path) -> None:
        """A form is valid with the variables that come with it."""
        form = FORMS[name]

        assert "" == validate(files(form, tmp_path), form.environment)

    @pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.variables])
    def test_form_is_valid_with_every_variable_set(self, name: str, tmp_path: Path) -> None:
        """A form that reads variables is valid with another value of every variable."""
        form = FORMS[name]

        assert "" == validate(files(form, tmp_path), {**form.environment, **other_values()})

    @pytest.mark.parametrize("name", FORMS)
    def test_form_is_valid_as_environment_variable_of_container(self, name: str) -> None:
        """A form is valid as the value of a container's variable, as the operator passes it."""
        form = FORMS[name]
        configs = {f"CONFIG_{place}": as_kubelet_expands(t) for place, t in enumerate(form.texts)}
        arguments = [f"--config=env:{variable}" for variable in configs]

        assert "" == validate(arguments, {**form.environment, **configs})

    @pytest.mark.parametrize("instance", ["42", "0042", "1e5", "true", "null", "a: b"])
    def test_instance_may_look_like_another_type(self, instance: str, tmp_path: Path) -> None:
        """The name of an instance may look like a number, a boolean or nothing."""
        form = FORMS["committed sidecar.yaml"]

        assert "" == validate(files(form, tmp_path), {"OTEL_META_INSTANCE": instance})

    def test_no_form_has_a_dollar_sign_besides_references(self) -> None:
        """No form has a dollar sign besides references, since each reader expands another form."""
        unexpected = {
            name: found
            for name, form in FORMS.items()
            if (found := re.findall(r"\$(?!\{env:)[^\n]*", "".join(form.texts)))
        }

        assert {} == unexpected

    def test_validation_finds_number_in_place_of_text(self, tmp_path: Path) -> None:
        """The validation finds a number in a setting of the type text."""
        config = read_yaml(FORMS["sidecar resolved by defaults, in YAML"].texts[0])
        config["exporters"]["load_balancing"]["resolver"]["dns"]["port"] = 14317
        errors = validate(files(Form((yaml.safe_dump(config),)), tmp_path), {})

        assert "expected type 'string'" in errors


class TestStart:
    def test_resolved_configuration_delivers_spans(self, tmp_path: Path) -> None:
        """A Collector starts with resolved variables, as in the operator's resource."""
        sink = SpanSink(free_port(), "127.0.0.1").start()
        ports = {v.name: str(free_port()) for v in SIDECAR_VARIABLES if v.name.endswith("_PORT")}
        values = {
            **ports,
            "OTEL_META_GATEWAY_PORT": str(sink.port),
            "OTEL_META_QUEUE_DIR": str(tmp_path / "queue"),
        }
        config: Any = resolve_variables(sidecar_config(), values)
        health = int(values["OTEL_META_HEALTH_PORT"])
        text = to_yaml(config, comment="")
        server = Backend(program=COLLECTOR, folder=tmp_path / "c", config=text, port=health)
        with server:
            server.wait_until_ready()
            url = f"http://127.0.0.1:{values['OTEL_META_OTLP_HTTP_PORT']}"
            send(url, span("s", AURORA, test__number=7))
            wait_until(lambda: {7} == sink.stored)
        sink.stop()
