"""The table of the keys of ``[tool.otel_meta]``, and of the options with the same meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from otel_meta.model.identity import NAMESPACE, PLACES, SERVICE
from otel_meta.render.hosts import IMAGES

from .config_kinds import (
    BASE_URL,
    CONSTANT,
    DAYS,
    FILE,
    FLAG,
    FOLDER,
    HEADER,
    IMAGE,
    K8S_KEY,
    K8S_VALUE,
    LABEL,
    LINK,
    METRICS,
    PLACE,
    REPO,
    SECONDS,
    SECRET,
    SERVER_URL,
    TARGET,
    TEMPLATE,
    TEXT,
    TIME,
    VERSION,
    ZONE,
    Kind,
    choice,
    list_of,
    map_of,
)
from .config_kinds import NAMESPACE as K8S_NAMESPACE

TABLE: Final = "tool.otel_meta"
TEAM: Final = "TEAM"
"""Stands in a key for the name of a team, the owner of a meta-repository."""
FORMATS: Final = (
    "prometheus",
    "prometheus-operator",
    "thanos-ruler",
    "mimir",
    "vmalert",
    "victoriametrics-operator",
    "helm",
)
TRACE_STORES: Final = ("jaeger", "tempo")
FOLDERS: Final = ("rules", "docs", "dashboards", "collector-config", "stack")

_OWN: Final = "the generator sets it"
_OWN_LABELS: Final[Mapping[str, str]] = dict.fromkeys(
    ("alertname", "meta_repository", "severity", "slo", "team", NAMESPACE, SERVICE, *PLACES), _OWN
)
_OWN_ANNOTATIONS: Final[Mapping[str, str]] = dict.fromkeys(
    ("summary", "description", "runbook_url", "dashboard_url"), _OWN
)

SERVER: Final = "Server"
"""The panel of the options of the commands that ask a server."""
_FILES: Final = "Files"
_LINKS: Final = "Links"
_RECEIVERS: Final = "Receivers"
_PLATFORM: Final = "Kubernetes and images"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A key of the project's table.

    Args:
        key: name below ``tool.otel_meta``; a dot stands before a name in a table of the table.
        kind: the kind of its values.
        default: the value without the key, for the documents.
        meaning: what the value decides.
        option: the option of ``otel-meta generate``, or of the commands that ask a server, with
            this meaning; empty without one.
        metavar: the name of the option's argument.
        panel: the panel of the help with the option.
        variable: the environment variable with this meaning; empty without one.
    """

    key: str
    kind: Kind
    default: str
    meaning: str
    option: str = ""
    metavar: str = ""
    panel: str = "Rules"
    variable: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the tables and of the key."""
        return tuple(self.key.split("."))


ROWS: Final = (
    Row(
        key="repos",
        kind=list_of(REPO),
        default="none",
        meaning="meta-repositories of the catalogue, as `module:Class`, or the name of one to "
        "limit the catalogue to; the folder of the file is importable; `--repo` replaces them",
    ),
    Row(
        key="only",
        kind=FLAG,
        default="false",
        meaning="leave out the built-in meta-repositories, as `--only`",
    ),
    Row(
        key="installed",
        kind=FLAG,
        default="false",
        meaning="add the meta-repositories of installed packages, as `--installed`",
    ),
    Row(
        key="out",
        kind=FOLDER,
        default="the working folder",
        meaning="target folder; in the file, from the folder of the file",
        option="--out",
        metavar="DIR",
        panel=_FILES,
    ),
    Row(
        key="folders",
        kind=list_of(choice(FOLDERS), may_be_empty=False),
        default="all",
        meaning="folders to write, as `--folders`",
    ),
    Row(
        key="format",
        kind=choice(FORMATS),
        default="prometheus",
        meaning="format of rule files",
        option="--format",
        metavar="FORMAT",
    ),
    Row(
        key="prometheus",
        kind=VERSION,
        default="2.42",
        meaning="oldest Prometheus that evaluates the rules; counts are exact from 3.16 on, in the "
        "formats prometheus, prometheus-operator and helm",
        option="--prometheus",
        metavar="VERSION",
    ),
    Row(
        key="native_histograms",
        kind=FLAG,
        default="false",
        meaning="scrape histograms as native ones too, with the declared buckets as custom ones; "
        "the rules of SLOs with a bound read them if `prometheus` is 3.16",
    ),
    Row(
        key="identity.add",
        kind=list_of(PLACE),
        default="none",
        meaning="more labels that tell services of the same name apart, such as `region`",
        option="--identity",
        metavar="LABEL",
    ),
    Row(
        key="identity.places",
        kind=list_of(PLACE),
        default=", ".join(f"`{place}`" for place in PLACES),
        meaning="the labels besides `service_namespace` and `service_name`, in place of the "
        "default ones",
    ),
    Row(
        key="severities",
        kind=map_of(choice(("page", "ticket")), CONSTANT),
        default="`page`, `ticket`",
        meaning='values of the label `severity`, such as `page = "critical"`',
        option="--severity",
        metavar="page=WORD",
    ),
    Row(
        key="labels",
        kind=map_of(LABEL, CONSTANT, refused=_OWN_LABELS),
        default="none",
        meaning="more labels of every alert",
        option="--label",
        metavar="NAME=TEXT",
    ),
    Row(
        key="annotations",
        kind=map_of(LABEL, TEMPLATE, refused=_OWN_ANNOTATIONS),
        default="none",
        meaning="more annotations of every alert; `{{ $labels.NAME }}` stands for a label",
        option="--annotation",
        metavar="NAME=TEXT",
    ),
    Row(
        key="runbooks",
        kind=BASE_URL,
        default="`docs/runbooks`",
        meaning="base of links to runbooks; `FILE.md` is added",
        option="--runbooks",
        metavar="URL",
        panel=_LINKS,
    ),
    Row(
        key="dashboards",
        kind=BASE_URL,
        default="`/d`",
        meaning="base of links to dashboards; the uid is added",
        option="--dashboards",
        metavar="URL",
        panel=_LINKS,
    ),
    Row(
        key="traces",
        kind=choice(TRACE_STORES),
        default="jaeger",
        meaning="kind of the data source to which the dashboards' links to traces lead",
        option="--traces",
        metavar="KIND",
        panel=_LINKS,
    ),
    Row(
        key="traces_url",
        kind=LINK,
        default="no links",
        meaning="links to the traces of an SLO's bad events, on pages of SLOs",
    ),
    Row(
        key="logs_url",
        kind=LINK,
        default="no links",
        meaning="links to the log lines of an SLO's bad events, on pages of SLOs",
    ),
    Row(
        key="receivers.page",
        kind=TARGET,
        default="a container of the stack",
        meaning="receiver of alerts that page",
        option="--page-webhook",
        metavar="URL",
        panel=_RECEIVERS,
    ),
    Row(
        key="receivers.ticket",
        kind=TARGET,
        default="a container of the stack",
        meaning="receiver of alerts that open a ticket, and of alerts without a severity",
        option="--ticket-webhook",
        metavar="URL",
        panel=_RECEIVERS,
    ),
    Row(
        key="receivers.watchdog",
        kind=TARGET,
        default="a container of the stack",
        meaning="receiver of the watchdog, each minute",
        option="--watchdog-webhook",
        metavar="URL",
        panel=_RECEIVERS,
    ),
    Row(
        key=f"receivers.teams.{TEAM}.page",
        kind=TARGET,
        default="`receivers.page`",
        meaning="receiver of the pages about the meta-repositories of a team",
    ),
    Row(
        key=f"receivers.teams.{TEAM}.ticket",
        kind=TARGET,
        default="`receivers.ticket`",
        meaning="receiver of the tickets about the meta-repositories of a team",
    ),
    Row(
        key="ticket_hours.time_zone",
        kind=ZONE,
        default="none",
        meaning="time zone of the working hours; outside of the hours, tickets wait",
    ),
    Row(
        key="ticket_hours.days",
        kind=list_of(DAYS),
        default="`monday:friday`",
        meaning="working days",
    ),
    Row(key="ticket_hours.from", kind=TIME, default="09:00", meaning="begin of a working day"),
    Row(key="ticket_hours.to", kind=TIME, default="17:00", meaning="end of a working day"),
    Row(
        key="kubernetes.namespace",
        kind=K8S_NAMESPACE,
        default="`observability`",
        meaning="namespace of rules, monitors and Collectors",
        option="--namespace",
        metavar="NAME",
        panel=_PLATFORM,
    ),
    Row(
        key="kubernetes.labels",
        kind=map_of(K8S_KEY, K8S_VALUE),
        default="none",
        meaning="more labels of rules and monitors, by which an operator selects them, such as "
        "`release`",
        option="--kubernetes-label",
        metavar="NAME=TEXT",
        panel=_PLATFORM,
    ),
    Row(
        key="images",
        kind=map_of(choice(IMAGES), IMAGE),
        default="tags of the tested versions",
        meaning="container images of the stack, by digest or of another registry",
        option="--image",
        metavar="NAME=IMAGE",
        panel=_PLATFORM,
    ),
    Row(
        key="server.url",
        kind=SERVER_URL,
        default="none",
        meaning="base URL of the Prometheus, Thanos, Mimir or VictoriaMetrics that commands ask",
        option="--prometheus",
        metavar="URL",
        panel=SERVER,
        variable="OTEL_META_SERVER_URL",
    ),
    Row(
        key="server.token",
        kind=SECRET,
        default="none",
        meaning="bearer token of the server; refused in the file, as a secret",
        option="--token",
        metavar="TOKEN",
        panel=SERVER,
        variable="OTEL_META_SERVER_TOKEN",
    ),
    Row(
        key="server.user",
        kind=TEXT,
        default="none",
        meaning="name for basic authentication of the server",
        option="--user",
        metavar="NAME",
        panel=SERVER,
        variable="OTEL_META_SERVER_USER",
    ),
    Row(
        key="server.password",
        kind=SECRET,
        default="none",
        meaning="password of `server.user`; refused in the file, as a secret",
        option="--password",
        metavar="PASSWORD",
        panel=SERVER,
        variable="OTEL_META_SERVER_PASSWORD",
    ),
    Row(
        key="server.tenant",
        kind=TEXT,
        default="none",
        meaning="tenant of a Mimir, the header `X-Scope-OrgID`",
        option="--tenant",
        metavar="NAME",
        panel=SERVER,
        variable="OTEL_META_SERVER_TENANT",
    ),
    Row(
        key="server.headers",
        kind=map_of(HEADER, TEXT),
        default="none",
        meaning="more headers of every request to the server",
        option="--header",
        metavar="NAME=TEXT",
        panel=SERVER,
    ),
    Row(
        key="server.ca_file",
        kind=FILE,
        default="certificates of the system",
        meaning="file of trusted certificates, as PEM; in the file, from the folder of the file",
        option="--ca-file",
        metavar="FILE",
        panel=SERVER,
        variable="OTEL_META_SERVER_CA_FILE",
    ),
    Row(
        key="server.timeout",
        kind=SECONDS,
        default="10",
        meaning="seconds until a request to the server is given up",
        option="--timeout",
        metavar="SECONDS",
        panel=SERVER,
        variable="OTEL_META_SERVER_TIMEOUT",
    ),
    Row(
        key="jobs",
        kind=list_of(TEXT),
        default="none",
        meaning="services that end by themselves, such as a nightly job: their end pages nobody",
    ),
    Row(
        key="corrections",
        kind=FILE,
        default="none",
        meaning="file of corrections, times whose events count neither as good nor as bad; "
        "in the table, from the folder of the file",
        option="--corrections",
        metavar="FILE",
    ),
    Row(
        key="check.metrics",
        kind=list_of(METRICS),
        default="none",
        meaning="metrics of other programs that rules may use, for `otel-meta check --rules`",
    ),
    Row(
        key="check.labels",
        kind=list_of(LABEL),
        default="none",
        meaning="labels that every series has from its target or from external labels, for "
        "`otel-meta check --rules`",
    ),
)
"""Every key, in the order of the documents."""
