"""The README of collector-config/: the purpose of each file, and its environment variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from otel_meta.render.docs.markdown import code, page, table
from otel_meta.secret_patterns import MASK

from .env_variables import (
    GATEWAY_LOG_EXPORTER,
    GATEWAY_METRICS_PORT,
    GATEWAY_VARIABLES,
    JOB_EXPIRATION,
    JOB_STREAMS,
    LOG_EXPORTER,
    LOG_STORE,
    METRIC_EXPIRATION,
    QUEUE_BYTES,
    SIDECAR_VARIABLES,
    Variable,
)
from .gateway import LOGS
from .queue_limits import (
    COMPACTION_TRIGGER_MIB,
    FILE_BASE_MIB,
    FILE_FACTOR,
    GATEWAY_QUEUE_BYTES,
    MIB,
    SIDECAR_QUEUE_BYTES,
    file_bytes,
    volume_mib,
)
from .sidecar import BALANCER

_LOG_VARIABLES: Final = f"""\
- on each sidecar `{LOG_EXPORTER.name}={BALANCER}`
- on each gateway `{GATEWAY_LOG_EXPORTER.name}={LOGS}`
- on each gateway `{LOG_STORE.name}`, the URL of the log store, such as `http://loki:3100/otlp`"""

_OWN_LOG_STORE: Final = f"""\
exporters:
  {LOGS}:
    endpoint: http://loki:3100/otlp"""
_SOURCE: Final = "otel_meta/render/collector/collector_readme.py"


def readme_file() -> str:
    """Return the text of the README."""
    return page(
        "Collector configuration",
        _SOURCE,
        "`sidecar.yaml` runs beside each service, and `gateway.yaml` runs between the sidecars and "
        "Jaeger. Add `span-metrics.yaml` to the sidecar of a service without metrics. The files "
        "need a Collector of version 0.159 or later with the components of contrib that they name, "
        "among them `delta_to_cumulative`, such as `otel/opentelemetry-collector-contrib`.",
        "Environment variables set ports, addresses and limits. To change anything else, write a "
        "second file, which the Collector merges over the first: `otelcol --config sidecar.yaml "
        "--config yours.yaml`. Maps are merged, a list replaces a list, and `null` removes a key.",
        "## Sidecar",
        _table(SIDECAR_VARIABLES),
        "Without a gateway, set `OTEL_META_GATEWAY_HOST` and `OTEL_META_GATEWAY_PORT` to the "
        "address of Jaeger's OTLP port. Jaeger then stores every trace.",
        "## Gateway",
        _table(GATEWAY_VARIABLES),
        "## Jobs",
        "The runs of a job (`configure(job=True)`) send deltas without an id of the instance, and "
        "a Collector adds them to one series: the sidecar of the machine, or a gateway where no "
        "process lives on, such as for pods of a CronJob. Prometheus then scrapes the gateway's "
        f"port {GATEWAY_METRICS_PORT.default}, with `honor_labels: true`. Runs may overlap, and "
        "the order of their requests does not matter.",
        "The totals are in memory. After a restart of the Collector, and after "
        f"`{JOB_EXPIRATION.name}` without a run, they begin at zero, which Prometheus takes for a "
        f"restart of the counter. Above `{JOB_STREAMS.name}`, points of new series are dropped "
        'and counted in `otelcol_deltatocumulative_datapoints` with `error="limit"`. A sidecar '
        f"shows a job's series for `{METRIC_EXPIRATION.name}` after its end; to see gauges until "
        "the next run, set the time from run to run. Counters do not need it.",
        "Exemplars of jobs are lost, since the Collector keeps those of the first point.",
        "## Log records",
        "Services write log lines to stdout, where the agent of a log store can read them. "
        "Services also send log records over OTLP, which the sidecar accepts and drops: neither "
        "its disk nor a network carries them. To store the log records, set three variables:",
        _LOG_VARIABLES,
        "Without a gateway, declare the exporter of the log store in your own file, and set the "
        f"sidecar's `{LOG_EXPORTER.name}={LOGS}`:",
        code(_OWN_LOG_STORE, "yaml"),
        "If nothing reads log records, `OTEL_LOGS_EXPORTER=none` saves services the sending.",
        "## Size of the queues",
        f"While a gateway or a store is away, data waits on disk. `{QUEUE_BYTES.name}` counts the "
        "bytes of the waiting requests. The disk takes more: 1.2 times as many for requests of 16 "
        "KB, 1.9 times for 2 KB, and 2.7 times for 0.3 KB, the smallest requests of services, with "
        "copies that a killed Collector leaves. After the outage, the file shrinks by itself.",
        "A full queue refuses data: the SDK of the service sends again, gives up, and counts the "
        "loss, and `otelcol_exporter_enqueue_failed_spans` counts in the Collector. A full *file* "
        "would also cost data that the Collector has accepted, so a file must hold a full queue. "
        "The last column is the size of a volume for both queues:",
        table(["", "queue", "file, at most", "volume"], [*_sizes()]),
        "For other queues, compute the file as "
        f"{FILE_FACTOR} x queue + {FILE_BASE_MIB} MiB, and the volume as 2 x (file + "
        f"{COMPACTION_TRIGGER_MIB} MiB), and set both variables and the size of the volume. With "
        f"full queues, a Collector of one CPU starts in 1 to 3 seconds.",
        "## Secrets",
        "Both Collectors mask secrets and personal data in every text of spans and log records: "
        "attributes of all types, log bodies, names, status messages, trace states, scopes and "
        f"resources. Values of attributes such as `password` become `{MASK}` as a whole, and parts "
        "of any text that look like one of these do: credentials and parameters in a URL, cookies, "
        "a name and its value (`password=...`), an e-mail address, a bearer token, a JSON Web "
        "Token, an access key of a cloud, a private key, a bank card.",
        "Three texts stay as they are. **Labels of metrics**: masking would combine series, which "
        "makes counters wrong, and `/metrics` of a process does not pass a Collector; only "
        "attributes of the resource, which become labels of `target_info`, are masked. "
        "**Attributes of span links**: no component of the Collector can change them. "
        "**Keys of attributes**.",
        "To keep a value, or to mask more, replace the lists of the redaction processor in your "
        "own file. For a service with free texts in labels, add `redaction` to "
        "`service.pipelines.metrics.processors`.",
    )


def _sizes() -> Iterator[list[str]]:
    for role, size in (("sidecar", SIDECAR_QUEUE_BYTES), ("gateway", GATEWAY_QUEUE_BYTES)):
        mib = (size // MIB, file_bytes(size) // MIB, volume_mib(size))
        yield [role, *(f"{number} MiB" for number in mib)]


def _table(variables: Iterable[Variable]) -> str:
    rows = ([f"`{v.name}`", f"`{v.default}`" if v.default else "", v.meaning] for v in variables)
    return table(["variable", "default", "meaning"], rows)
