"""``python -m otel_meta`` is ``otel-meta``."""

import sys

from otel_meta.cli import main

sys.exit(main())
