"""Headers by the grammars of W3C."""

from __future__ import annotations

import string
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st

# A busy machine is no failure; what a property claims does not depend on time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

OCTETS: Final = "".join(sorted(set(map(chr, range(0x21, 0x7F))) - set('",;\\')))
"""The characters of a baggage value."""
TOKENS: Final = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
"""The characters of a baggage key."""

_STATE_KEYS: Final = string.ascii_lowercase + string.digits
_STATE_VALUES: Final = "".join(sorted(set(map(chr, range(0x21, 0x7F))) - set(",=")))

state_keys: Final = st.builds(
    str.__add__, st.sampled_from(_STATE_KEYS), st.text(_STATE_KEYS + "_-*/@", max_size=20)
)
state_values: Final = st.builds(
    str.__add__, st.text(_STATE_VALUES + " ", max_size=20), st.sampled_from(_STATE_VALUES)
)
states: Final = st.dictionaries(state_keys, state_values, min_size=1, max_size=31)
baggage_keys: Final = st.text(TOKENS, min_size=1, max_size=20)
baggage_values: Final = st.text(OCTETS, max_size=40)
