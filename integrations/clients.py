"""Clients of connections, one per process: each keeps its connection's rate, breaks when the other end
keeps failing, notes its health, and sends nothing that the connection's state forbids.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError

from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from integrations.connections import (
    HEALTH_SECONDS,
    PAUSED_SECONDS,
    HeadersOf,
    answered,
    failed,
    open_secrets,
)
from integrations.http import Answer, Busy, Listener, RemoteClient
from integrations.models import Connection
from integrations.pacing import Breaker, Bucket, Pace, Rate
from integrations.states import ConnectionState
from integrations.types import ConnectionRef

RETIRED_SECONDS: Final = 120
"""Longer than any call takes."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_log = logging.getLogger(__name__)


class ConnectedClient(RemoteClient):
    """A client that heeds the state: paused asks nothing, listening only reads."""

    state: str = ConnectionState.LIVE

    def send(self, method: str, path: str, **words: Any) -> Answer:
        """As `RemoteClient.send`. Raises Busy where the state of the connection forbids the call."""
        reads = method.upper() in _SAFE
        if self.state == ConnectionState.PAUSED or (
            self.state == ConnectionState.LISTENING and not reads
        ):
            raise Busy(f"{self.party} is {self.state}", after_seconds=PAUSED_SECONDS)
        return super().send(method, path, **words)


@dataclass(slots=True)
class _Held:
    made_of: tuple[Any, ...]
    client: ConnectedClient


_clients: dict[UUID, _Held] = {}
_paces: dict[UUID, Pace] = {}
_retired: list[tuple[float, ConnectedClient]] = []
_lock = Lock()


def client_of(ref: ConnectionRef, *, headers: HeadersOf) -> RemoteClient:
    """The connection's client, one per process; made anew when address, settings or secrets change.

    `headers` makes what every request carries out of the connection's secrets. The rate stands in
    the settings (`rate`: per_second, burst), as do `timeout_seconds`.
    """
    row = Connection.objects.for_scope(ALL_ACCOUNTS).get(pk=ref.id)
    made_of = (row.base_url, row.state, row.key_id, json.dumps(row.settings, sort_keys=True))
    with _lock:
        held = _clients.get(ref.id)
        if held is not None and held.made_of == made_of:
            return held.client
        made = ConnectedClient(
            row.code,
            row.base_url,
            headers=headers(open_secrets(row)),
            total_seconds=float(row.settings.get("timeout_seconds", 10.0)),
            pace=_pace(row),
            listener=_listener(row.pk),
        )
        made.state = row.state
        _clients[ref.id] = _Held(made_of, made)
        if held is not None:
            _retire(held.client)
        return made


def forget() -> None:
    """Drop every client and what was learnt about the counterparts: between tests."""
    with _lock:
        for held in _clients.values():
            held.client.close()
        for _, old in _retired:
            old.close()
        _clients.clear()
        _retired.clear()
        _paces.clear()


def _retire(old: ConnectedClient) -> None:
    """Somebody may still wait for its answer: it is closed when the next one retires."""
    now = time.monotonic()
    while _retired and now - _retired[0][0] > RETIRED_SECONDS:
        _retired.pop(0)[1].close()
    _retired.append((now, old))


def _pace(row: Connection) -> Pace:
    """Breaker and bucket outlive a change of settings; the rate is the newest one."""
    pace = _paces.setdefault(row.pk, Pace(row.code, Breaker()))
    rate = Rate.of(row.settings.get("rate"))
    pace.bucket = Bucket(f"{row.pk}", rate) if rate else None
    return pace


def _listener(connection_id: UUID) -> Listener:
    said: dict[str, float] = {}

    def once(kind: str, note: Callable[[], None]) -> None:
        if time.monotonic() - said.get(kind, float("-inf")) < HEALTH_SECONDS:
            return
        said[kind] = time.monotonic()
        try:
            note()
        except DatabaseError:
            _log.warning("the health of a connection was not kept", exc_info=True)

    def on_answer() -> None:
        once("answered", lambda: answered(connection_id, at=clock.now()))

    def on_failure(why: str) -> None:
        once("failed", lambda: failed(connection_id, why, at=clock.now()))

    return Listener(on_answer, on_failure)
