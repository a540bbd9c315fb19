"""A database, a cache and sessions with metrics, for the storefront."""

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
    """SQLite in threads: one connection, used by one thread at a time.

    Args:
        path: a file, or ":memory:".
        aurora: records the duration of each query.
    """

    def __init__(self, path: str, aurora: Aurora) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._lock = Lock()
        self._aurora = aurora

    async def run(
        self, operation: Operation, table: str, sql: str, *parameters: object
    ) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction, and return its rows."""
        started = time.perf_counter()
        try:
            return await asyncio.to_thread(self._run, sql, parameters)
        finally:
            # Includes failed queries and the wait for the connection: users wait for both.
            duration = time.perf_counter() - started
            self._aurora.query_duration.record(duration, operation=operation, table=table)

    async def is_ready(self) -> bool:
        """Return True if the database responds; for /readyz."""
        return await asyncio.to_thread(self._run, "SELECT 1", ()) == [(1,)]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _run(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock, self._connection:
            return self._connection.execute(sql, parameters).fetchall()


class Cache(Generic[T]):
    """Keeps the latest values by key.

    Args:
        name: value of the label.
        aurora: records hits and misses.
        size: maximum number of values.
    """

    def __init__(self, name: str, aurora: Aurora, size: int = 1000) -> None:
        self._name = name
        self._aurora = aurora
        self._size = size
        self._values: OrderedDict[int, T] = OrderedDict()
        self._recent: deque[bool] = deque(maxlen=100)

    def get(self, key: int) -> T | None:
        """Return the value of a key, or None."""
        found = self._values.get(key)
        self._recent.append(found is not None)
        result: Literal["hit", "miss"] = "miss" if found is None else "hit"
        self._aurora.cache_lookups.add(1, cache=self._name, result=result)
        hit_rate = sum(self._recent) / len(self._recent)
        self._aurora.cache_hit_rate.set(hit_rate, cache=self._name)
        return found

    def put(self, key: int, value: T) -> None:
        """Keep a value, and remove the oldest if the cache is full."""
        self._values[key] = value
        if len(self._values) > self._size:
            self._values.popitem(last=False)


@dataclass
class Session:
    """The plan of an active user."""

    plan: Plan
    last_seen: float


class Sessions:
    """Active users, in memory: after a restart they sign in again.

    Args:
        aurora: records the number of users.
        clock: a monotonic time in seconds.
    """

    def __init__(self, aurora: Aurora, clock: Callable[[], float] = time.monotonic) -> None:
        self._aurora = aurora
        self._clock = clock
        self._alive: dict[int, Session] = {}

    def start(self, user_id: int, plan: Plan) -> None:
        """Start a session."""
        self._alive[user_id] = Session(plan, self._clock())

    def seen(self, user_id: int | None) -> Plan:
        """Extend a session, and return the plan of its user; guests have the free plan."""
        session = None if user_id is None else self._alive.get(user_id)
        if session is None:
            return "free"
        session.last_seen = self._clock()
        return session.plan

    def show(self) -> None:
        """Remove expired sessions, and set the gauge of every plan."""
        oldest = self._clock() - SESSION_SECONDS
        self._alive = {user: s for user, s in self._alive.items() if s.last_seen >= oldest}
        plans = [session.plan for session in self._alive.values()]
        for plan in get_args(Plan):
            self._aurora.active_users.set(plans.count(plan), plan=plan)
