"""What may happen to those who watch: Prometheus and Alertmanager."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from otel_meta.cli.demo.stack_config import prometheus_config
from otel_meta.testing.loopback import free_port
from otel_meta.testing.servers import Backend
from tests.backends.faults.service import program
from tests.backends.faults.stage import Stage, fault, until
from tests.backends.ledger import Row
from tests.backends.servers import Prometheus, Told, alertmanager, rule_folder

_PAGE = "SloErrorBudgetBurnFast"
_EVENTS = "events_processed_total"
_FAILURES = "event_processing_failures_total"
_RULES = ("titan-microservices-mesh", "cross")


class Watch:
    """A service, and those who watch it."""

    def __init__(self, stage: Stage) -> None:
        port = free_port()
        self.service = stage.enter(program(OTEL_EXPORTER_PROMETHEUS_PORT=str(port)))
        self.told = stage.enter(Told())
        self.alertmanager: Backend = stage.enter(
            alertmanager(stage.folder / "alertmanager", self.told.url)
        )
        rules = rule_folder(stage.folder / "rules", _RULES)
        config = prometheus_config(rules, self.alertmanager.port, port)
        self.prometheus = stage.enter(Prometheus(stage.folder / "prometheus", config))
        for server in (self.alertmanager, self.prometheus):
            server.wait_until_ready()
        self.events = 0

    def does(self, deed: str, many: int) -> None:
        """Have the service do something."""
        self.service.does(deed, many)
        self.events += many

    @contextmanager
    def traffic(self, deed: str = "work") -> Iterator[None]:
        """Have the service do something all the while."""
        stopping = Event()

        def go_on() -> None:
            while not stopping.wait(0.05):
                self.does(deed, 5)

        thread = Thread(target=go_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def caught_up(self, seen: str) -> Row:
        """The row, once Prometheus knows of every event."""
        until(lambda: self.prometheus.value(_EVENTS) == self.events, "events are missing")
        return Row(sent=self.events, stored=round(self.prometheus.value(_EVENTS)), seen=seen)

    def paged(self) -> bool:
        """Whether somebody was woken."""
        return any(a["labels"]["alertname"] == _PAGE for a in self.told.alerts("/page", "firing"))

    def resolved(self) -> bool:
        """Whether somebody was told that it is over."""
        return any(a["labels"]["alertname"] == _PAGE for a in self.told.alerts("/page", "resolved"))


@fault("Prometheus killed (kill -9) while a page is firing")
def prometheus_killed(stage: Stage) -> Row:
    """Its samples are there again, the page goes on, and nobody is told that it was over."""
    watch = Watch(stage)
    prometheus = watch.prometheus
    with watch.traffic("fail"):
        until(watch.paged, "nobody is paged")
        at = time.time()
        known = prometheus.value(f"count_over_time({_EVENTS}[5m])", at)
        prometheus.kill()
        time.sleep(3)
        prometheus.start().wait_until_ready()
        assert known <= prometheus.value(f"count_over_time({_EVENTS}[5m])", at) + 1
        until(lambda: prometheus.firing(_PAGE), "the page has gone")
    assert not watch.resolved()
    return watch.caught_up("at most the scrape under way is missing; counters make up for it")


@fault("Prometheus stopped (SIGSTOP) while a promise is being broken")
def prometheus_stopped(stage: Stage) -> Row:
    """What happened meanwhile is in the counters: it pages as soon as it goes on."""
    watch = Watch(stage)
    watch.does("fail", 1)  # an increase is seen from a series' second sample on
    with watch.traffic():
        until(lambda: watch.prometheus.value(f"count_over_time({_FAILURES}[1m])") > 3)
        os.kill(watch.prometheus.pid, signal.SIGSTOP)
    watch.does("fail", 500)
    time.sleep(3)
    os.kill(watch.prometheus.pid, signal.SIGCONT)
    until(watch.paged, "nobody is paged")
    return watch.caught_up("pages once it goes on, for what happened meanwhile")


@fault("Alertmanager down while a page begins to fire")
def alertmanager_down(stage: Stage) -> Row:
    """Prometheus tells it again until it listens."""
    watch = Watch(stage)
    watch.alertmanager.kill()
    with watch.traffic("fail"):
        until(lambda: watch.prometheus.firing(_PAGE), "the page does not fire")
        failed = "prometheus_notifications_errors_total"
        until(lambda: watch.prometheus.own(failed) > 0, "nothing counts that nobody listens")
        watch.alertmanager.start().wait_until_ready()
        until(watch.paged, "nobody is paged")
    told = sum(a["labels"]["alertname"] == _PAGE for a in watch.told.alerts("/page", "firing"))
    return Row(sent=1, stored=1, doubled=told - 1, seen="the page arrives once it listens again")
