"""A meta-repository whose every text means something to a program that reads generated files."""

from __future__ import annotations

from typing import Literal

from otel_meta import measures
from otel_meta.model import (
    Alert,
    Catalog,
    Counter,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    Recording,
    Slo,
    labels,
)

TEXTS = (
    "Gone {{ oops.",
    "Because {{ .Values.reason }} {{ $labels.no }} {{{{ end }}",
    "Ends in a brace {",
    "A \"quote\", 'another', a back\\slash, 50 % of %s, and a tab\tinside",
    "Pipes | here, <b>angles</b> <script>alert(1)</script>, `open code, *stars* and [links](x)",
    "Dollars $service ${service} ${service:csv} $__interval [[service]]",
    "Unicode \u00e9 \u4e16\u754c \U0001f525 \u2028 \u202e and #hash: - colon: [x] !tag &a *b",
)
"""Texts for templates, YAML, JSON, Markdown, HTML, Grafana and Helm."""

ALL = " ".join(TEXTS)


@labels
class Call:
    outcome: Literal["ok", 'b"a|d', "{{ bad }}", "`tick`"]


class Hostile(MetaRepo, name="hostile", owner="hostile-team", escalation=ALL):
    __doc__ = ALL

    calls = Counter("hostile.calls", ALL, Call)
    wait = Histogram("hostile.wait", ALL, NoLabels, unit="s", buckets=(0.5, 1))
    level = Gauge("hostile.level", ALL, NoLabels)

    answered = Slo(
        "hostile-answered",
        objective="99.9%",
        period="30d",
        sli=calls.ratio(bad=calls.where(outcome=('b"a|d', "{{ bad }}", "`tick`"))),
        why=ALL,
        first_steps=ALL,
    )
    quick = Slo(
        "hostile-quick",
        objective="99%",
        period="7d",
        sli=wait.within(0.5),
        why=ALL,
        first_steps=f"- {ALL}\n- {ALL}\n\n```promql\nup < 1\n```",
    )

    lowest = Recording("service:hostile_level:min", measures.latest(level), ALL)
    empty = Alert(
        name="HostileEmpty",
        measure=measures.latest(level),
        below=1.0,
        severity="page",
        summary=ALL,
        first_steps=ALL,
    )
    in_brace = Alert(
        name="HostileBrace",
        measure=measures.latest(level),
        above=1.0,
        severity="ticket",
        summary="Ends in a brace {",
        first_steps="Ends in a brace {",
    )


HOSTILE = Catalog((Hostile,))
