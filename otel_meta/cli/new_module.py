"""The source of a module with a meta-repository to start from."""

from __future__ import annotations

from typing import Final, NamedTuple

from otel_meta.model import Counter, Histogram, MetaRepo, NoLabels
from otel_meta.model.arguments import check_dashed_name

_SOURCE: Final = '''\
"""{title}: jobs and their duration."""

from typing import Literal

from otel_meta import Alert, Counter, Duration, Histogram, MetaRepo, Slo, labels, measures


@labels
class Job:
    """The labels of a job; a label without Literal accepts any text."""

    kind: Literal["interactive", "batch"]
    outcome: Literal["done", "failed"]


class {class_name}(
    MetaRepo,
    name="{name}",
    owner="{owner}",
):
    """Jobs and their duration."""

    jobs = Counter(
        "{prefix}.jobs.processed",
        "Jobs processed, by outcome.",
        Job,
        unit="{{job}}",
    )
    job_duration = Histogram(
        "{prefix}.job.duration",
        "Time to process a job.",
        Job,
        unit="s",
        buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    )

    job_success = Slo(
        "{name}-job-success",
        objective="99.9%",
        period="30d",
        sli=jobs.ratio(bad=jobs.where(outcome="failed")),
        why="A failed job is repeated by hand.",
    )

    jobs_failing = Alert(
        name="{class_name}JobsFailing",
        measure=measures.increase(jobs.where(outcome="failed"), "15m", by=("service_name",)),
        above=10,
        for_=Duration("5m"),
        severity="ticket",
        summary="Jobs fail for five minutes.",
    )
'''


class NewModule(NamedTuple):
    """A meta-repository by its name, and the names that follow from it."""

    name: str
    owner: str

    @property
    def words(self) -> list[str]:
        """The words of the name."""
        return self.name.split("-")

    @property
    def class_name(self) -> str:
        """The name of the class."""
        return "".join(word.capitalize() for word in self.words)

    @property
    def module(self) -> str:
        """The name of the module."""
        return "_".join(self.words)

    @property
    def source(self) -> str:
        """The source of the module."""
        return _SOURCE.format(
            title=" ".join(self.words).capitalize(),
            owner=self.owner,
            name=self.name,
            class_name=self.class_name,
            prefix=self.module,
        )

    def declare(self) -> None:
        """Declare what has a name, as the module does.

        Raises:
            DeclarationError: a name is refused.
        """
        check_dashed_name("meta-repository", self.name)
        metrics = {
            "jobs": Counter(f"{self.module}.jobs.processed", "Jobs.", NoLabels, unit="{job}"),
            "job_duration": Histogram(
                f"{self.module}.job.duration", "Time.", NoLabels, unit="s", buckets=(1,)
            ),
        }
        type(self.class_name, (MetaRepo,), metrics, name=self.name, owner=self.owner)
