"""``otel-meta new``: a module with a meta-repository to start from."""

from __future__ import annotations

import json
import sys
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from otel_meta.cli.exit_code import ExitCode, Result
from otel_meta.cli.new_module import NewModule
from otel_meta.cli.option_set import JsonOption
from otel_meta.cli.project.config_kinds import FOLDER, TEXT
from otel_meta.cli.project_options import checked
from otel_meta.errors import DeclarationError, UsageError
from otel_meta.repos import BUILTIN

_NEXT: Final = """\
wrote {path}
Next:
1. Declare your metrics and SLOs in place of the example.
2. Check the declarations: otel-meta check --repo {spec}{where}
3. Write rules, dashboards and runbooks: otel-meta generate --only --repo {spec}{where} --out deploy
4. Record in the service: configure("my-service", {class_name}) and telemetry.bind({class_name})
To need no --repo, add to pyproject.toml:
   [tool.otel_meta]
   repos = ["{spec}"]"""


def new(
    name: Annotated[
        str, Argument(metavar="NAME", help="Lower-case words joined by dashes, such as atlas-maps.")
    ],
    *,
    owner: Annotated[
        str,
        Option(metavar="TEAM", parser=checked(TEXT), help="The team that its alerts notify."),
    ] = "my-team",
    out: Annotated[
        str, Option(metavar="DIR", parser=checked(FOLDER), help="Folder of the module.")
    ] = ".",
    as_json: JsonOption = False,
) -> Result:
    """Write a module with a meta-repository to start from: metrics, an SLO and an alert."""
    made = NewModule(name, owner)
    _refuse(made)
    path = Path(out) / f"{made.module}.py"
    _write(path, made.source)
    spec = f"{made.module}:{made.class_name}"
    if as_json:
        return Result(ExitCode.OK, json.dumps({"written": [str(path)], "repo": spec}))
    where = "" if out == "." else f" (in the folder {out})"
    text = _NEXT.format(path=path, spec=spec, where=where, class_name=made.class_name)
    return Result(ExitCode.OK, text)


def _refuse(made: NewModule) -> None:
    """Refuse names that cannot be declared, or that Python or the catalogue has already.

    Raises:
        UsageError: the name is refused.
    """
    taken = {repo.name for repo in BUILTIN} | {repo.__name__.lower() for repo in BUILTIN}
    if made.name in taken:
        raise UsageError(f"NAME {made.name}: is a built-in meta-repository; choose another name")
    if iskeyword(made.module) or made.module in {*sys.stdlib_module_names, "otel_meta"}:
        raise UsageError(
            f"NAME {made.name}: Python has {made.module} already; add a word, such as "
            f"{made.name}-service"
        )
    try:
        made.declare()
    except DeclarationError as error:
        raise UsageError(f"NAME {made.name}: {error}") from error


def _write(path: Path, source: str) -> None:
    if path.exists():
        raise UsageError(f"{path}: exists already; choose another name, or --out DIR")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:  # another process may have been faster
            file.write(source)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
