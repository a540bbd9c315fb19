"""A project from options, as a command gets it."""

from __future__ import annotations

from typing import cast

from typer import Typer
from typer.main import get_command

from otel_meta.cli.project.project import Project
from otel_meta.cli.project_options import with_generator_project


def project_of(*options: str) -> Project:
    """Return the project of these options."""
    app = Typer(add_completion=False)
    app.command()(with_generator_project(_command))
    return cast("Project", get_command(app)([*options], standalone_mode=False))


def _command(project: Project) -> Project:
    return project
