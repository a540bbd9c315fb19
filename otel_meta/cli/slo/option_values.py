"""The values of the options about SLOs, each with one line for a wrong form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final, get_args

from otel_meta.model import Duration, Objective
from otel_meta.model.arguments import did_you_mean
from otel_meta.status.status import State

STATES: Final[tuple[State, ...]] = get_args(State)
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")
_COUNT: Final = re.compile(r"[0-9]{1,18}")
_LONGEST: Final = 86_400.0


@dataclass(frozen=True)
class StateSet:
    """Some states of SLOs."""

    states: tuple[State, ...] = ()


def state(text: str) -> State:
    """Read a state."""
    if text not in STATES:
        near = did_you_mean(text, STATES)
        raise ValueError(f"{text!r} is not one of {', '.join(STATES)}{near}")
    return text


def states(text: str) -> StateSet:
    """Read states, separated by commas."""
    return StateSet(tuple(dict.fromkeys(state(word.strip()) for word in text.split(","))))


def share(text: str) -> float:
    """Read a percentage above 0 and at most 100."""
    form = _PERCENT.fullmatch(text)
    percent = Fraction(form[1]) if form else Fraction(0)
    if not 0 < percent <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"{text!r} is not a percentage above 0 and up to 100; write it as 25%")
    return float(percent / 100)


def seconds(text: str) -> float:
    """Read a number of seconds."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _LONGEST:
        raise ValueError(f"{text!r} is not a number of seconds above 0")
    return number


def events(text: str) -> int:
    """Read a number of events."""
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{text!r} is not a number of events; write it as 1000000")
    return int(text)


def objective(text: str) -> Objective:
    """Read an objective."""
    return Objective(text)


def span(text: str) -> Duration:
    """Read a duration."""
    try:
        return Duration(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time such as 30m") from error


def moment(text: str) -> float:
    """Read a time, by default of the local zone, as seconds since 1970."""
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a time such as 2026-01-31T12:00") from error
