"""What the storefront stands on: a database, a cache and sessions, which record themselves."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, Generic, Literal, TypeVar, get_args

from otel_meta.repos import Aurora

Operation = Literal["select", "insert", "update", "delete", "other"]
Plan = Literal["free", "pro", "enterprise"]
T = TypeVar("T")

SESSION_SECONDS: Final = 900.0


class Database:
    """SQLite off the event loop: one connection, used by one thread at a time.

    Args:
        path: a file, or ":memory:".
        aurora: where the duration of each query is recorded.
    """

    def __init__(self, path: str, aurora: Aurora) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._lock = Lock()
        self._aurora = aurora

    async def run(
        self, operation: Operation, table: str, sql: str, *parameters: object
    ) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own, and fetch what it yields."""
        started = time.perf_counter()
        try:
            return await asyncio.to_thread(self._run, sql, parameters)
        finally:
            # Failed queries count, and so does the wait for the connection: users wait for both.
            duration = time.perf_counter() - started
            self._aurora.query_duration.record(duration, operation=operation, table=table)

    async def answers(self) -> bool:
        """Whether it can be asked anything; for /readyz."""
        return await asyncio.to_thread(self._run, "SELECT 1", ()) == [(1,)]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _run(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock, self._connection:
            return self._connection.execute(sql, parameters).fetchall()


class Cache(Generic[T]):
    """Keeps what was put last, under a number.

    Args:
        name: its label.
        aurora: where hits and misses are recorded.
        size: how much it keeps at most.
    """

    def __init__(self, name: str, aurora: Aurora, size: int = 1000) -> None:
        self._name = name
        self._aurora = aurora
        self._size = size
        self._kept: OrderedDict[int, T] = OrderedDict()
        self._recent: deque[bool] = deque(maxlen=100)

    def get(self, key: int) -> T | None:
        """What is kept under a number."""
        found = self._kept.get(key)
        self._recent.append(found is not None)
        result: Literal["hit", "miss"] = "miss" if found is None else "hit"
        self._aurora.cache_lookups.add(1, cache=self._name, result=result)
        hit_rate = sum(self._recent) / len(self._recent)
        self._aurora.cache_hit_rate.set(hit_rate, cache=self._name)
        return found

    def put(self, key: int, value: T) -> None:
        """Keep a value, and let go of the oldest if there are too many."""
        self._kept[key] = value
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)


@dataclass
class Session:
    """A user who has been here lately."""

    plan: Plan
    last_seen: float


class Sessions:
    """Who has been here lately. In memory: after a restart, users sign in again.

    Args:
        aurora: where the number of users is recorded.
        clock: seconds that never go back.
    """

    def __init__(self, aurora: Aurora, clock: Callable[[], float] = time.monotonic) -> None:
        self._aurora = aurora
        self._clock = clock
        self._alive: dict[int, Session] = {}

    def start(self, user_id: int, plan: Plan) -> None:
        """Begin a session."""
        self._alive[user_id] = Session(plan, self._clock())

    def seen(self, user_id: int | None) -> Plan:
        """Prolong a session, and say what its user pays for; guests are on the free plan."""
        session = None if user_id is None else self._alive.get(user_id)
        if session is None:
            return "free"
        session.last_seen = self._clock()
        return session.plan

    def show(self) -> None:
        """Forget sessions that are over, and set the gauge for every plan."""
        oldest = self._clock() - SESSION_SECONDS
        self._alive = {user: s for user, s in self._alive.items() if s.last_seen >= oldest}
        plans = [session.plan for session in self._alive.values()]
        for plan in get_args(Plan):
            self._aurora.active_users.set(plans.count(plan), plan=plan)
