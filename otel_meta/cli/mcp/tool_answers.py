"""What the tools answer: the types from which the SDK makes the schema of each tool.

Text from telemetry is in the fields ``data_from_telemetry``, and nowhere else. Other text is from
the declarations, or written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from otel_meta.extras import ExtraImports
from otel_meta.fleet.answers import one_line

with ExtraImports("mcp", "The MCP server"):
    from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

UNKNOWN: Final = "unknown"
RowState = Literal["breached", "at_risk", "ok", "no_data", "unknown"]
_MOST: Final = 40
"""Labels of a series that are shown."""


def _shown_labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {one_line(key): one_line(value) for key, value in [*labels.items()][:_MOST]}


def _first(texts: list[Any]) -> list[Any]:
    return texts[:_MOST]


TelemetryText = Annotated[str, AfterValidator(one_line)]
"""Text of unknown authors, on one line of bounded length, without control characters."""
TelemetryTexts = Annotated[list[TelemetryText], BeforeValidator(_first)]
TelemetryLabels = Annotated[dict[str, str], AfterValidator(_shown_labels)]


class Answer(BaseModel):
    """A part of an answer, read from plain values of which others are left out."""


class BurningWindow(Answer):
    """A burn window whose condition is true."""

    severity: str
    long: str
    short: str
    above: Annotated[float, Field(description="Burn rate above which its alert fires.")]


class FiringTexts(Answer):
    """An alert that fires, as its labels say."""

    name: TelemetryText
    severity: TelemetryText


class StatusTexts(Answer):
    """Labels of the service, and of alerts that fire."""

    service: TelemetryLabels
    firing: Annotated[list[FiringTexts], BeforeValidator(_first)]


class SloDeclaration(Answer):
    """An SLO as declared."""

    name: str
    repo: str
    owner: str
    objective: str
    period: str
    why: Annotated[str, Field(description="The impact on users if the SLO is not met.")]
    good_event: Annotated[str, Field(description="The condition of a good event.")]


class SloRow(SloDeclaration):
    """The status of an SLO of a service; null is not known."""

    state: RowState
    sli: Annotated[float | None, Field(description="Share of good events in the period.")] = None
    budget_left: Annotated[
        float | None,
        Field(description="Share of the error budget that is left; negative if overspent."),
    ] = None
    burn_rates: Annotated[
        dict[str, float | None],
        Field(description="By span; 1 spends the error budget in exactly one period."),
    ] = {}
    burning: list[BurningWindow] = []
    exhausted_in_seconds: Annotated[
        float | None, Field(description="At the burn rate of the last hour.")
    ] = None
    noun: Annotated[str, Field(description="What is counted, such as requests.")] = "events"
    bad: float | None = None
    total: float | None = None
    excluded_bad: float | None = None
    excluded_total: float | None = None
    coverage: Annotated[
        float | None, Field(description="Share of the period with data; below 1, part is unseen.")
    ] = None
    data_from_telemetry: StatusTexts = StatusTexts(service={}, firing=[])


class CorrectionTexts(Answer):
    """A time whose events are excluded, with its reason."""

    begin: str
    end: str
    kind: TelemetryText
    reason: TelemetryText
    slos: Annotated[TelemetryTexts, Field(description="Empty for all SLOs.")]
    service: Annotated[TelemetryLabels, Field(description="Empty for all services.")]


class FleetTexts(Answer):
    """Notes about the server's series, and corrections."""

    notes: TelemetryTexts = []
    corrections: Annotated[list[CorrectionTexts], BeforeValidator(_first)] = []


class SloList(Answer):
    """SLOs, worst first."""

    status_known: Annotated[
        bool, Field(description="False if no server is named: then only declarations are listed.")
    ]
    note: str
    slos: list[SloRow]
    left_out: Annotated[int, Field(description="Further SLOs, beyond the limit.")]
    data_from_telemetry: FleetTexts = FleetTexts()


class CausePart(Answer):
    """A part of the service with more bad events than its share."""

    bad: float
    total: float
    ratio: Annotated[float, Field(description="Share of bad events of the part itself.")]
    excess: Annotated[float, Field(description="Bad events beyond the ratio of the service.")]
    share: Annotated[float, Field(description="Share of the bad events that the part explains.")]
    data_from_telemetry: Annotated[
        TelemetryLabels, Field(description="Label values that select the part.")
    ]


class FailureKind(Answer):
    """A way in which events of the first cause fail."""

    bad: float
    data_from_telemetry: Annotated[TelemetryLabels, Field(description="Labels of the failure.")]


class TraceTexts(Answer):
    """Names a trace."""

    trace_id: TelemetryText


class BadTrace(Answer):
    """The trace of a bad event."""

    at: Annotated[str, Field(description="Time in UTC.")]
    value: float
    data_from_telemetry: TraceTexts


class ServiceTexts(Answer):
    """Names of services."""

    also_burning: TelemetryTexts


class BurnAnswer(Answer):
    """Why an error budget burns."""

    note: str
    status: SloRow
    span: str
    bad: float
    total: float
    burning_since: Annotated[str | None, Field(description="Time in UTC; null: it burns not.")]
    causes: Annotated[list[CausePart], Field(description="Most evidence first; may overlap.")]
    kinds: list[FailureKind]
    traces: list[BadTrace]
    data_from_telemetry: ServiceTexts


class ReadyQuery(Answer):
    """A query that can be sent to the server."""

    what: str
    promql: str


class UsingAlert(Answer):
    """An alert that reads a metric."""

    alert: str
    severity: str
    slo: str | None


class MetricRow(Answer):
    """A metric as declared, and what uses it."""

    repo: str
    name: str
    prometheus_name: str
    type: str
    unit: str
    description: str
    labels: Annotated[
        dict[str, list[str] | None],
        Field(description="Values of each label; null: any value."),
    ]
    slos: Annotated[list[str], Field(description="SLOs that count its events.")]
    alerts: list[UsingAlert]
    queries: list[ReadyQuery]


class MetricList(Answer):
    """Metrics, best match first."""

    note: str
    metrics: list[MetricRow]
    left_out: Annotated[int, Field(description="Further metrics, beyond the limit.")]


class PlannedPage(Answer):
    """The alert of a burn window during an outage."""

    alert: str
    severity: str
    long: str
    short: str
    fires_after_seconds: Annotated[float | None, Field(description="null: it never fires.")]
    budget_spent: Annotated[
        float | None, Field(description="Share of the error budget that is spent by then.")
    ]
    obstacle: Annotated[str | None, Field(description="Why it never fires.")]


class OutagePlan(Answer):
    """What a constant outage does, from a whole error budget on."""

    slo: str
    objective: str
    period: str
    bad_share: float
    budget_lasts_seconds: float
    alerts: Annotated[list[PlannedPage], Field(description="In the order in which they fire.")]
