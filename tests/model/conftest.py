from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure; what a property claims does not depend on time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
