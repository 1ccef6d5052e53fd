"""Two connections, one statement after another: what is paused, who waits, and how it ends."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from django.db import connection, transaction

from config.kernel.errors import DomainError

Act = Callable[[], object]

_LOCKS_POSITIONS: Final = re.compile(r"inventory_stockposition.*FOR UPDATE", re.DOTALL)
_WRITES: Final = re.compile(
    r"^\s*(?:WITH raised|UPDATE|INSERT INTO) ?.*inventory_(?:stockposition|stocklevel|reservation)",
    re.DOTALL,
)
_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.002

REFUSED: Final = 0
BEFORE_READING, BEFORE_WRITING = "before reading", "before writing"


class _Pause:
    """Runs `meanwhile` once: before the first position lock, or before what is written after it."""

    def __init__(self, point: str, meanwhile: Act) -> None:
        self._point, self._meanwhile = point, meanwhile
        self._has_read = self.is_reached = False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if not self.is_reached and self._is_here(sql):
            self.is_reached = True
            self._meanwhile()
        self._has_read = self._has_read or bool(_LOCKS_POSITIONS.search(sql))
        return execute(sql, params, many, context)

    def _is_here(self, sql: str) -> bool:
        if self._point == BEFORE_READING:
            return bool(_LOCKS_POSITIONS.search(sql))
        return self._has_read and bool(_WRITES.search(sql)) and "FOR UPDATE" not in sql


def without_locks(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
    """What the same statements would be had nobody thought of locks and guards."""
    sql = sql.replace("FOR UPDATE OF", "-- ").replace("FOR UPDATE", "")
    sql = sql.replace("AND p.sellable - p.reserved - p.buffer - p.landed >= need.quantity", "")
    sql = sql.replace("AND p.shortfall = 0", "").replace("AND r.state = now.was", "")
    return execute(sql, params, many, context)


class Two:
    """The test's own connection and another one, kept open from pair to pair."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._look = connection.copy()
        self._pid = self._pool.submit(self._connect).result()

    @staticmethod
    def _connect() -> int:
        connection.ensure_connection()
        return int(connection.connection.info.backend_pid)

    def close(self) -> None:
        self._pool.submit(_disconnect).result()
        self._pool.shutdown()
        self._look.close()

    def interleave(
        self, first: Act, second: Act, point: str, *, locks: bool = True
    ) -> tuple[object, object]:
        """Pause the first there and run the second as far as it comes; what both answered.

        A refusal of the domain is the answer `REFUSED`; what else is raised is answered by name.
        """
        other: list[Future[object]] = []

        def overtake() -> None:
            other.append(self._pool.submit(_run, second, locks))
            self._wait_for(other[0])

        pause = _Pause(point, overtake)
        with connection.execute_wrapper(pause):
            ours = _run(first, locks)
        assert pause.is_reached, "the first has no such statement"
        return ours, other[0].result(_SECONDS)

    def _wait_for(self, other: "Future[object]") -> None:
        """Until the other is done, or waits for a lock."""
        give_up = time.monotonic() + _SECONDS
        while not other.done() and time.monotonic() < give_up:
            with self._look.cursor() as cursor:
                cursor.execute(
                    "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'",
                    [self._pid],
                )
                if cursor.rowcount:
                    return
            time.sleep(_LOOK_SECONDS)


def _disconnect() -> None:
    connection.close()


@contextmanager
def two_connections() -> Iterator[Two]:
    two = Two()
    try:
        yield two
    finally:
        two.close()


def _run(act: Act, locks: bool) -> object:  # noqa: FBT001
    with ExitStack() as stack:
        if not locks:
            stack.enter_context(connection.execute_wrapper(without_locks))
        try:
            with transaction.atomic():
                return act()
        except DomainError:
            return REFUSED
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what the test asks for
            return type(error).__name__
