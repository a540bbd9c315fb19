"""Templates as Prometheus reads templates: promtool refuses a text, or the check accepts it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.check.go_template import FUNCTIONS, NotATemplate, parse_template
from tests.rules.pinned_tools import tool

RIGHT = (
    "",
    "plain text with } and }} and { and $labels",
    "{{ $value }}",
    "{{- $value -}}",
    "{{$labels.job}} of {{ .Labels.job }}, {{ $externalLabels.cluster }}{{ $externalURL }}",
    "{{/* a comment with }} inside */}}x",
    "{{- /* a comment */ -}}",
    '{{ query "up" | first | value | humanize }}',
    '{{ with query "up" }}{{ . | first | label "job" }}{{ else }}none{{ end }}',
    '{{ range $i, $each := query `up{job="x"}` }}{{ $i }}{{ $each.Value }}{{ end }}',
    '{{ range query "up" }}{{ .Labels.job }}{{ break }}{{ end }}',
    "{{ if gt $value 1.0 }}many{{ else if eq $value 1.0 }}one{{ else }}none{{ end }}",
    "{{ if and (gt $value 1.0) (lt $value 2e3) }}x{{ end }}",
    "{{ $x := $value }}{{ $x }}{{ $x = 1.0 }}",
    '{{ define "a" }}{{ .Value }}{{ end }}{{ template "a" . }}',
    '{{ printf "%.2f%%" $value }} {{ "a\\"b" }} {{ \'x\' }} {{ -1.5e3 }} {{ true }}',
    '{{ reReplaceAll "(.*):.*" "$1" $labels.instance | toUpper | title }}',
    "{{ ($value | humanizeDuration) }}",
    "{{ $.Value }}{{ . }}",
    '{{ (query "up" | first).Value }}',
    '{{ "{{" }}',
    "{{ .Value\n | humanize }}",
    "{{ print }} {{ $value | }} {{ $x = 1.0 }}",
    '{{ block "b" . }}x{{ end }}',
)
WRONG = (
    "{{ oops.",
    "{{ .Values.x",
    "{{",
    "{{ }}",
    "{{ oops }}",
    "{{ $value | humanise }}",
    "{{ $valu }}",
    "{{ $labels. }}",
    "{{ if $value }}",
    "{{ end }}",
    "{{ else }}",
    "{{ if }}x{{ end }}",
    "{{ range }}x{{ end }}",
    '{{ "a }}',
    "{{ `a }}",
    "{{ | humanize }}",
    "{{ ($value }}",
    "{{ $value) }}",
    "{{ with $y := 1 }}{{ end }}{{ $y }}",
    "{{ $y := }}",
    "{{ $value & 1 }}",
    "{{ $value; }}",
    "{{ /* open }}",
    "{{ template }}",
    '{{ query "up" | frist }}',
    "{{ $value @ 1 }}",
    "{{ if 1 }}{{ else }}{{ else }}{{ end }}",
)


def refused_by_prometheus(texts: Sequence[str], folder: Path) -> set[str]:
    """Return the texts for which promtool refuses a rule file."""
    annotations = {f"t{number}": text for number, text in enumerate(texts)}
    rule = {"alert": "A", "expr": "vector(1)", "annotations": annotations}
    path = folder / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}))
    command = [str(tool("promtool")), "check", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    return {texts[int(n)] for n in re.findall(r'annotation "t(\d+)"', done.stdout + done.stderr)}


def refused(text: str) -> bool:
    """Return True if the check refuses a text."""
    try:
        parse_template(text)
    except NotATemplate:
        return True
    return False


def test_prometheus_refuses_the_same_texts(tmp_path: Path) -> None:
    """Prometheus refuses the texts that the check refuses, and no others."""
    assert {*WRONG} == refused_by_prometheus([*RIGHT, *WRONG], tmp_path)


@pytest.mark.parametrize("text", RIGHT)
def test_right_text_is_accepted(text: str) -> None:
    """A right text is accepted."""
    assert not refused(text)


@pytest.mark.parametrize("text", WRONG)
def test_wrong_text_is_refused(text: str) -> None:
    """A wrong text is refused."""
    assert refused(text)


def test_prometheus_has_every_function_of_the_list(tmp_path: Path) -> None:
    """Prometheus has every function of the list, and tells a function that it lacks."""
    texts = [f"{{{{ {name} 1 }}}}" for name in (*sorted(FUNCTIONS - {"tmpl"}), "nosuch")]

    assert {"{{ nosuch 1 }}"} == refused_by_prometheus(texts, tmp_path)


@given(st.text('{}$.|()"`:= -/*labelsifendqury1\n', max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Any text is read or refused, without another exception."""
    assert refused(text) in {True, False}
