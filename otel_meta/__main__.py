"""Run the command ``otel-meta``, as ``python -m otel_meta``."""

import sys

from otel_meta.cli import main

sys.exit(main())
