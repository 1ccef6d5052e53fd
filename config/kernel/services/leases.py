"""The right to do a named piece of work, for a while, by the database's clock.

A lease keeps two workers from doing the same at once; it does not make an effect happen once. For
that, whatever the work writes is guarded in the same transaction (a state in the WHERE clause, a
row count that is checked), because a holder may sleep past its lease and wake up.
"""

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db import connection

DEFAULT_SECONDS: Final = 60.0


class LeaseLost(RuntimeError):
    """Another holder has taken the lease over: this one must stop writing."""


@dataclass(slots=True)
class HeldLease:
    """A lease in force. `token` rises with each holder and fences those before it."""

    name: str
    holder: str
    token: int
    seconds: float

    def renew(self) -> None:
        """Extend the lease from now. Raises LeaseLost when somebody else has it."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kernel_lease SET expires_at = clock_timestamp() + make_interval(secs => %s)"
                " WHERE name = %s AND token = %s AND expires_at > clock_timestamp()",
                [self.seconds, self.name, self.token],
            )
            if not cursor.rowcount:
                raise LeaseLost(f"the lease {self.name} has a new holder")

    def release(self, *, rest_seconds: float = 0) -> None:
        """Let go. `rest_seconds` keeps everybody off that long after the work was begun."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kernel_lease SET done_at = clock_timestamp(), "
                "expires_at = expires_at - make_interval(secs => %s) "
                "WHERE name = %s AND token = %s",
                [self.seconds - rest_seconds, self.name, self.token],
            )


def this_worker() -> str:
    """Name of this thread of work: host, process, thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


def take(
    name: str, *, seconds: float = DEFAULT_SECONDS, holder: str | None = None
) -> HeldLease | None:
    """Take the lease if nobody holds it, in one statement; None when somebody does."""
    who = holder or this_worker()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_lease AS lease (name, holder, token, expires_at)
            VALUES (%s, %s, 1, clock_timestamp() + make_interval(secs => %s))
            ON CONFLICT (name) DO UPDATE
            SET holder = EXCLUDED.holder, token = lease.token + 1,
                expires_at = EXCLUDED.expires_at, done_at = NULL
            WHERE lease.expires_at <= clock_timestamp()
            RETURNING token
            """,
            [name, who, seconds],
        )
        row = cursor.fetchone()
    return HeldLease(name, who, row[0], seconds) if row else None


@contextmanager
def held(
    name: str, *, seconds: float = DEFAULT_SECONDS, holder: str | None = None
) -> Iterator[HeldLease | None]:
    """Hold the lease within the block, or get None when somebody else has it.

    Enter it outside a transaction: inside one the others would not see it. A killed process leaves
    a lease that lapses by itself.
    """
    lease = take(name, seconds=seconds, holder=holder)
    try:
        yield lease
    except BaseException:
        # A broken connection cannot release, and must not hide what broke it.
        if lease is not None and connection.is_usable():
            lease.release()
        raise
    if lease is not None:
        lease.release()


@dataclass(slots=True)
class HeldLeases:
    """Several leases in force, taken, renewed and released in one statement each."""

    tokens: dict[str, int]
    seconds: float

    def renew(self) -> None:
        """Extend them all from now. Raises LeaseLost when somebody else has one of them."""
        if self._update(self.seconds) != len(self.tokens):
            raise LeaseLost("one of the leases has a new holder")

    def release(self) -> None:
        self._update(0)

    def _update(self, seconds: float) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE kernel_lease l
                SET expires_at = clock_timestamp() + make_interval(secs => %s)
                FROM unnest(%s::text[], %s::bigint[]) AS mine (name, token)
                WHERE l.name = mine.name AND l.token = mine.token
                  AND l.expires_at > clock_timestamp()
                """,
                [seconds, list(self.tokens), list(self.tokens.values())],
            )
            return int(cursor.rowcount)


@contextmanager
def held_of(names: Sequence[str], *, seconds: float = DEFAULT_SECONDS) -> Iterator[HeldLeases]:
    """Hold those of the leases that are free; `tokens` names them, and may be empty."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_lease AS lease (name, holder, token, expires_at)
            SELECT name, %s, 1, clock_timestamp() + make_interval(secs => %s)
            FROM unnest(%s::text[]) AS name ORDER BY name
            ON CONFLICT (name) DO UPDATE
            SET holder = EXCLUDED.holder, token = lease.token + 1,
                expires_at = EXCLUDED.expires_at, done_at = NULL
            WHERE lease.expires_at <= clock_timestamp()
            RETURNING name, token
            """,
            [this_worker(), seconds, sorted(set(names))],
        )
        leases = HeldLeases(dict(cursor.fetchall()), seconds)
    try:
        yield leases
    except BaseException:
        if leases.tokens and connection.is_usable():
            leases.release()
        raise
    if leases.tokens:
        leases.release()


@contextmanager
def once_per(
    job: str, window: datetime, *, seconds: float = DEFAULT_SECONDS
) -> Iterator[HeldLease | None]:
    """Do the job once for the window that begins at `window`; None when done or being done.

    When the block raises or the process dies, the window stays open and is taken again, at once or
    after `seconds`. A window before the last one done is never taken.
    """
    key = window.astimezone(UTC).isoformat(timespec="microseconds")
    name = f"window:{job}"
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_lease AS lease (name, holder, token, expires_at)
            VALUES (%s, %s, 1, clock_timestamp() + make_interval(secs => %s))
            ON CONFLICT (name) DO UPDATE
            SET holder = EXCLUDED.holder, token = lease.token + 1,
                expires_at = EXCLUDED.expires_at, done_at = NULL
            WHERE (lease.done_at IS NOT NULL AND lease.holder < EXCLUDED.holder)
               OR (lease.done_at IS NULL AND lease.expires_at <= clock_timestamp()
                   AND lease.holder <= EXCLUDED.holder)
            RETURNING token
            """,
            [name, key, seconds],
        )
        row = cursor.fetchone()
    lease = HeldLease(name, key, row[0], seconds) if row else None
    try:
        yield lease
    except BaseException:
        if lease is not None and connection.is_usable():
            _reopen(lease)
        raise
    if lease is not None:
        lease.release()


def due(names: Sequence[str]) -> list[str]:
    """Which of these leases nobody holds now, in the order given. One statement, none for none."""
    if not names:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM kernel_lease WHERE name = ANY(%s) AND expires_at > clock_timestamp()",
            [list(names)],
        )
        taken = {name for (name,) in cursor.fetchall()}
    return [name for name in names if name not in taken]


def _reopen(lease: HeldLease) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_lease SET expires_at = clock_timestamp() WHERE name = %s AND token = %s",
            [lease.name, lease.token],
        )
