"""The interpreter and the variables of the measured processes, equal for all instrumentations."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from otel_meta.testing.pinned_tools import cache_folder

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
_SERVICE: Final = "bench"
_NOT_INHERITED: Final = ("OTEL_", "FASTAPI_", "LOGFIRE_", "PROMETHEUS_", "PYTHON")


def interpreter() -> str:
    """Return an interpreter with all instrumentations; the first call installs them."""
    folder = _folder()
    python = str(folder / "bin" / "python")
    complete = folder / "complete"
    if not complete.exists():
        print(f"installing the compared instrumentations into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)]
        subprocess.run(command, check=True)  # noqa: S603 - the pip of the new environment
        complete.touch()
    return python


def _folder() -> Path:
    """Return the place of the environment, which new pins change."""
    pins = REQUIREMENTS.read_bytes() + (ROOT / "constraints.txt").read_bytes()
    name = f"web-benchmark-{sys.implementation.cache_tag}-{hashlib.sha256(pins).hexdigest()[:12]}"
    return cache_folder().with_name(name)


def variables(endpoint: str, sampled: float) -> Mapping[str, str]:
    """Return the variables of a measured process.

    The queue has a place for every span between two flushes, so that no instrumentation saves the
    time of spans that are dropped.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "OTEL_SERVICE_NAME": _SERVICE,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": str(sampled),
        "OTEL_BSP_MAX_QUEUE_SIZE": "32768",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
    }
