"""The evaluation interval of rules, and the window of recorded increases."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Duration

EVALUATION_INTERVAL: Final = Duration("1m")
"""The time from one evaluation of a rule group to the next."""

INCREASE_WINDOW: Final = Duration("5m")
"""The span of each recorded increase of bad and total events; long windows read one increase in
each span. The names of the recorded series contain it."""

BURN_RATE_SPAN: Final = Duration("1h")
"""The span of the recorded burn rate, of which `series_names.BURN_RATE_1H` has the name."""

INCREASE_MINUTES: Final = INCREASE_WINDOW.seconds // 60

EVALUATIONS_PER_WINDOW: Final = INCREASE_WINDOW.seconds // EVALUATION_INTERVAL.seconds
"""The number of recorded increases that contain the same event."""
