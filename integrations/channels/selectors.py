"""What can be asked of the channels: how each is doing, and what it holds of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from config.kernel.services.dwell import Stayer
from config.kernel.types import ALL_ACCOUNTS, Scope
from integrations.models import ChannelCopy, Connection, CopyKind, CopyState
from integrations.states import ConnectionKind, ConnectionState

WINDOW: Final = timedelta(hours=24)
"""What lag and errors are measured over."""
RECONCILED: Final = "reconciled"
"""The connection's cursor that holds what the last comparison came to."""
CALLS: Final = "calls"
"""The connection's cursor that holds how much of its rate the shop says is used."""
DIFFERS: Final = (CopyState.REFUSED, CopyState.DIFFERENT, CopyState.MISSING)


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """One connection to a channel, and how it is doing.

    `lag_p95_seconds` is from receipt to effect over the last 24 hours, None without messages;
    `error_share` the share of them that are dead. `backlog_in` are messages without effect yet,
    `backlog_out` copies that are to be sent. `missing_here` were found by the last comparison, and
    taken in. `rate_used` is the share of the shop's own call limit, None where it names none.
    """

    id: UUID
    account_id: UUID
    channel_id: UUID | None
    code: str
    name: str
    adapter: str
    state: str
    expected_every: int | None
    last_heard_at: datetime | None
    last_answered_at: datetime | None
    last_failed_at: datetime | None
    failure: str
    silent: bool
    messages: int = 0
    lag_p95_seconds: float | None = None
    error_share: float = 0.0
    dead: int = 0
    backlog_in: int = 0
    backlog_out: int = 0
    oldest_out_at: datetime | None = None
    refused: int = 0
    different: int = 0
    missing: int = 0
    missing_here: int = 0
    stock_to_send: int = 0
    compared_at: datetime | None = None
    rate_used: float | None = None

    @property
    def drift(self) -> int:
        """Copies that are not as they should be."""
        return self.refused + self.different + self.missing


@dataclass(frozen=True, slots=True)
class CopyLine:
    """One copy as pages show it. `wanted` holds codes, ids and amounts, nothing personal."""

    id: UUID
    connection_id: UUID
    connection_code: str
    channel: str
    kind: str
    kind_label: str
    state: str
    state_label: str
    our_id: UUID
    order_id: UUID | None
    their_id: str
    wanted: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""
    wanted_at: datetime | None = None
    sent_at: datetime | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Counted:
    messages: int = 0
    lag: float | None = None
    errors: int = 0
    dead: int = 0
    backlog: int = 0


def health(scope: Scope, *, at: datetime) -> list[ChannelHealth]:
    """The connections to channels within the scope, by code. Three statements."""
    rows = list(
        Connection.objects.for_scope(scope)
        .filter(kind=ConnectionKind.CHANNEL)
        .order_by("code", "pk")
    )
    wanted = [row.pk for row in rows]
    messages, copies = _messages(wanted, at), _copies(wanted)
    return [
        _health(row, messages.get(row.pk, _Counted()), copies.get(row.pk, {}), at) for row in rows
    ]


def copies_of_order(order_id: UUID, scope: Scope = ALL_ACCOUNTS) -> list[CopyLine]:
    """What each channel holds of the order, is to hold, or has told of it; oldest first."""
    found = ChannelCopy.objects.for_scope(scope).filter(order_id=order_id)
    return _lines(found.select_related("connection").order_by("pk"))


def differing_copies(
    connection_id: UUID,
    scope: Scope = ALL_ACCOUNTS,
    *,
    after: UUID | None = None,
    limit: int = 100,
) -> list[CopyLine]:
    """Copies of the connection that are refused, different or missing there, by id."""
    found = ChannelCopy.objects.for_scope(scope).filter(
        connection_id=connection_id, state__in=DIFFERS
    )
    if after is not None:
        found = found.filter(pk__gt=after)
    return _lines(found.select_related("connection").order_by("pk")[:limit])


def waiting_copies(
    connection_id: UUID, scope: Scope = ALL_ACCOUNTS, *, limit: int = 100
) -> list[CopyLine]:
    """Copies of the connection that are still to be sent, by id."""
    found = ChannelCopy.objects.for_scope(scope).filter(
        connection_id=connection_id, state=CopyState.WAITING
    )
    return _lines(found.select_related("connection").order_by("pk")[:limit])


def waiting_too_long(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Copies of live connections that are wanted since before then and not there yet."""
    found = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        state=CopyState.WAITING, wanted_at__lt=before, connection__state=ConnectionState.LIVE
    )
    if among is not None:
        found = found.filter(pk__in=list(among))
    rows = found.exclude(connection__base_url="").order_by("wanted_at", "pk")[:limit]
    return [Stayer(row.pk, row.account_id, row.wanted_at, row.order_id) for row in rows]


def still_differing(copy_ids: Sequence[UUID]) -> set[UUID]:
    """Of these copies, those that are refused, different or missing still."""
    found = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(copy_ids), state__in=DIFFERS
    )
    return set(found.values_list("pk", flat=True))


def _lines(rows: Any) -> list[CopyLine]:
    return [
        CopyLine(
            row.pk,
            row.connection_id,
            row.connection.code,
            row.connection.name,
            row.kind,
            row.get_kind_display(),
            row.state,
            row.get_state_display(),
            row.our_id,
            row.order_id,
            row.their_id,
            row.wanted,
            row.failure,
            row.wanted_at,
            row.sent_at,
            row.seen_at,
        )
        for row in rows
    ]


def _messages(connection_ids: Sequence[UUID], at: datetime) -> dict[UUID, _Counted]:
    """Messages of the window, and whatever is open or dead however old."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT connection_id, count(*) FILTER (WHERE received_at > %s),
                percentile_cont(0.95) WITHIN GROUP (
                    ORDER BY extract(epoch FROM settled_at - received_at))
                    FILTER (WHERE received_at > %s AND settled_at IS NOT NULL),
                count(*) FILTER (WHERE received_at > %s AND state = 'dead'),
                count(*) FILTER (WHERE state = 'dead'),
                count(*) FILTER (WHERE state = 'received')
            FROM integrations_inboxmessage
            WHERE connection_id = ANY(%s) AND (received_at > %s OR state IN ('dead', 'received'))
            GROUP BY connection_id
            """,
            [at - WINDOW, at - WINDOW, at - WINDOW, list(connection_ids), at - WINDOW],
        )
        return {row[0]: _Counted(*row[1:]) for row in cursor.fetchall()}


def _copies(connection_ids: Sequence[UUID]) -> dict[UUID, dict[tuple[str, str], tuple[int, Any]]]:
    """(how many, the oldest's wish) by kind and state, of copies that are not as they should be."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT connection_id, CASE WHEN kind = 'stock' THEN 'stock' ELSE 'order' END AS what,
                state, count(*), min(wanted_at)
            FROM integrations_channelcopy
            WHERE connection_id = ANY(%s)
              AND (state = 'waiting' OR state IN ('refused', 'different', 'missing'))
            GROUP BY 1, 2, 3
            """,
            [list(connection_ids)],
        )
        found: dict[UUID, dict[tuple[str, str], tuple[int, Any]]] = {}
        for connection_id, what, state, number, oldest in cursor.fetchall():
            found.setdefault(connection_id, {})[what, state] = (number, oldest)
    return found


def _health(
    row: Connection,
    counted: _Counted,
    copies: Mapping[tuple[str, str], tuple[int, Any]],
    at: datetime,
) -> ChannelHealth:
    compared = row.cursor.get(RECONCILED) or {}
    calls = row.cursor.get(CALLS) or {}
    since = max(row.last_heard_at or row.changed_at, row.changed_at)

    def number(state: str) -> int:
        return sum(copies.get((what, state), (0, None))[0] for what in ("order", CopyKind.STOCK))

    return ChannelHealth(
        id=row.pk,
        account_id=row.account_id,
        channel_id=row.channel_id,
        code=row.code,
        name=row.name,
        adapter=row.adapter,
        state=row.state,
        expected_every=row.expected_every,
        last_heard_at=row.last_heard_at,
        last_answered_at=row.last_answered_at,
        last_failed_at=row.last_failed_at,
        failure=row.failure,
        silent=row.expected_every is not None
        and row.state != ConnectionState.PAUSED
        and since < at - timedelta(seconds=row.expected_every),
        messages=counted.messages,
        lag_p95_seconds=None if counted.lag is None else float(counted.lag),
        error_share=counted.errors / counted.messages if counted.messages else 0.0,
        dead=counted.dead,
        backlog_in=counted.backlog,
        backlog_out=copies.get(("order", CopyState.WAITING), (0, None))[0],
        oldest_out_at=copies.get(("order", CopyState.WAITING), (0, None))[1],
        refused=number(CopyState.REFUSED),
        different=number(CopyState.DIFFERENT),
        missing=number(CopyState.MISSING),
        missing_here=int(compared.get("missing_here", 0)),
        stock_to_send=copies.get((CopyKind.STOCK, CopyState.WAITING), (0, None))[0],
        compared_at=datetime.fromisoformat(compared["at"]) if compared.get("at") else None,
        rate_used=calls["used"] / calls["of"] if calls.get("of") else None,
    )
