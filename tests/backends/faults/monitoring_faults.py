"""Faults of Prometheus and Alertmanager."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from otel_meta.cli.demo.stack_config import prometheus_config
from otel_meta.testing.loopback import free_port
from tests.backends.alerting_servers import Prometheus, alertmanager, write_fast_rules
from tests.backends.faults.fault_case import FaultSetup, fault
from tests.backends.faults.service_process import service_process
from tests.backends.loss_accounting import FaultResult
from tests.backends.notification_receiver import NotificationReceiver
from tests.waiting import wait_until

_PAGE = "SloErrorBudgetBurnFast"
_EVENTS = "events_processed_total"
_FAILURES = "event_processing_failures_total"
_RULES = ("titan-microservices-mesh", "cross")
_KILLED = 3.0
"""Seconds from a kill to the restart: three scrapes and three evaluations."""
_STOPPED = 10.0
"""Seconds of a stop: ten minutes of the rules, longer than the shortest span of a page."""


class MonitoredService:
    """A service with its Prometheus and its Alertmanager.

    Args:
        setup: the setup of the case.
        resend_delay: see `Prometheus`.
    """

    def __init__(self, setup: FaultSetup, *, resend_delay: int = 1) -> None:
        port = free_port()
        self.service = setup.enter(service_process(OTEL_EXPORTER_PROMETHEUS_PORT=str(port)))
        self.receiver = setup.enter(NotificationReceiver())
        self.alertmanager = setup.enter(
            alertmanager(setup.folder / "alertmanager", self.receiver.url)
        )
        rules = write_fast_rules(setup.folder / "rules", _RULES)
        config = prometheus_config(rules, self.alertmanager.port, port)
        folder = setup.folder / "prometheus"
        self.prometheus = setup.enter(Prometheus(folder, config, resend_delay=resend_delay))
        for server in (self.alertmanager, self.prometheus):
            server.wait_until_ready()
        self.events = 0

    def run(self, command: str, count: int) -> None:
        """Run a command of the service, and count its events."""
        self.service.run(command, count)
        self.events += count

    @contextmanager
    def traffic(self, command: str = "work") -> Iterator[None]:
        """Run a command again and again while the context is open."""
        stopping = Event()

        def repeat() -> None:
            while not stopping.wait(0.05):
                self.run(command, 5)

        thread = Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def complete_result(self, observation: str) -> FaultResult:
        """Wait until Prometheus has every event, and return the result."""
        wait_until(
            lambda: self.prometheus.query_sum(_EVENTS) == self.events,
            "events are missing in Prometheus",
        )
        stored = round(self.prometheus.query_sum(_EVENTS))
        return FaultResult(sent=self.events, stored=stored, observation=observation)

    def pages(self, status: str = "firing") -> int:
        """Return the number of notifications about the page with a status."""
        alerts = self.receiver.alerts("/page", status)
        return sum(alert["labels"]["alertname"] == _PAGE for alert in alerts)

    def wait_for_page(self) -> None:
        """Return as soon as the receiver has a firing page."""
        wait_until(self.pages, "no page is sent")


@fault("Prometheus killed (kill -9) while a page is firing")
def prometheus_killed(setup: FaultSetup) -> FaultResult:
    """After a restart all samples are there, and the page still fires without a resolution.

    The restart is not sixty times as fast as in production, and so the resend delay is not either.
    """
    monitored = MonitoredService(setup, resend_delay=15)
    prometheus = monitored.prometheus
    samples = f"count_over_time({_EVENTS}[5m])"
    with monitored.traffic("fail"):
        monitored.wait_for_page()
        now = time.time()
        count_before = prometheus.query_sum(samples, now)
        prometheus.kill()
        time.sleep(_KILLED)
        prometheus.start().wait_until_ready()
        assert count_before <= prometheus.query_sum(samples, now) + 1
        wait_until(lambda: prometheus.is_firing(_PAGE), "the page no longer fires")
    assert 0 == monitored.pages("resolved")
    return monitored.complete_result("at most the current scrape is lost; counters make up for it")


@fault("Prometheus stopped (SIGSTOP) while the error budget burns")
def prometheus_stopped(setup: FaultSetup) -> FaultResult:
    """The counters hold the failures during the stop, so Prometheus pages when it continues."""
    monitored = MonitoredService(setup)
    pid = monitored.prometheus.pid
    monitored.run("fail", 1)  # an increase needs a second sample of a series
    with monitored.traffic():
        scrapes = f"count_over_time({_FAILURES}[1m])"
        wait_until(lambda: monitored.prometheus.query_sum(scrapes) > 3)
        os.kill(pid, signal.SIGSTOP)
    end = time.monotonic() + _STOPPED
    monitored.run("fail", 500)
    time.sleep(max(0.0, end - time.monotonic()))
    os.kill(pid, signal.SIGCONT)
    monitored.wait_for_page()
    return monitored.complete_result("pages after the stop for the failures during the stop")


@fault("Alertmanager down while a page begins to fire")
def alertmanager_down(setup: FaultSetup) -> FaultResult:
    """Prometheus sends the alert until Alertmanager is back."""
    monitored = MonitoredService(setup)
    monitored.alertmanager.kill()
    with monitored.traffic("fail"):
        wait_until(lambda: monitored.prometheus.is_firing(_PAGE), "the page does not fire")
        errors = "prometheus_notifications_errors_total"
        wait_until(lambda: monitored.prometheus.self_metric(errors) > 0, "no error is counted")
        monitored.alertmanager.start().wait_until_ready()
        monitored.wait_for_page()
    return FaultResult(
        sent=1,
        stored=1,
        duplicates=monitored.pages() - 1,
        observation="the page is sent after Alertmanager's restart",
    )
