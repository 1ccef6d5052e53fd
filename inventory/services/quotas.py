"""Quotas: planned, started and ended by their dates, and kept in step with SKUs and supply."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from psycopg.types.json import Jsonb

from config.kernel import events, versions
from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Quota, QuotaPlan, Sku
from inventory.quotas import TOPIC
from inventory.selections import HELD, as_rows, columns_of, selection_of
from inventory.services.publishing import touch
from inventory.services.rules import end_of
from inventory.states import Lifecycle, QuotaKind, QuotaState, SkuKind
from inventory.types import QuotaDraft

_PLAIN = (
    "name", "channel_id", "kind", "sequence", "overlay", "units", "percent", "cap", "spill",
    "spill_at", "starts_at", "ends_at",
)  # fmt: skip

_LATELY = timedelta(minutes=5)
_PUT = f"""
    WITH {HELD}
    , plans AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(plans)s::jsonb) AS plans (place int, id uuid,
            channel_id uuid, kind text, overlay bool, sequence int, units bigint, percent int,
            cap bigint, spill bool, spill_at timestamptz, starts_at timestamptz,
            ends_at timestamptz)
    ), sold AS (
        SELECT p.sku_id, n.channel_id, sum(p.sellable)::bigint AS units
        FROM inventory_stockposition p
        JOIN inventory_channelnode n ON n.node_id = p.node_id
        JOIN inventory_node o ON o.id = p.node_id AND o.state = 'active'
        WHERE p.owner_id = p.account_id AND p.sku_id IN (
            SELECT m.sku_id FROM held m JOIN plans USING (place) WHERE plans.kind = 'percent')
        GROUP BY 1, 2
    ), wished AS (
        SELECT p.*, m.sku_id,
            coalesce(p.units * m.each, coalesce(s.units, 0) * p.percent / 100) AS protected
        FROM held m JOIN plans p ON p.place = m.place
        LEFT JOIN sold s ON s.sku_id = m.sku_id AND s.channel_id = p.channel_id
    ), put AS (
        INSERT INTO inventory_quota AS known (account_id, plan_id, sku_id, channel_id, kind, state,
            overlay, sequence, protected, percent, used, cap, spill, spill_at, starts_at, ends_at)
        SELECT %(account)s, w.id, w.sku_id, w.channel_id, w.kind, 'live', w.overlay, w.sequence,
            w.protected, w.percent, 0, w.cap, w.spill, w.spill_at, w.starts_at, w.ends_at
        FROM wished w ORDER BY w.id, w.sku_id
        ON CONFLICT (plan_id, sku_id) DO UPDATE
        SET state = 'live', kind = excluded.kind, channel_id = excluded.channel_id,
            overlay = excluded.overlay, sequence = excluded.sequence,
            protected = excluded.protected, percent = excluded.percent, cap = excluded.cap,
            spill = excluded.spill, spill_at = excluded.spill_at,
            starts_at = excluded.starts_at, ends_at = excluded.ends_at
        WHERE (known.state, known.kind, known.channel_id, known.overlay, known.sequence,
                known.protected, known.percent, known.cap, known.spill, known.spill_at,
                known.starts_at, known.ends_at)
            IS DISTINCT FROM ('live', excluded.kind, excluded.channel_id, excluded.overlay,
                excluded.sequence, excluded.protected, excluded.percent, excluded.cap,
                excluded.spill, excluded.spill_at, excluded.starts_at, excluded.ends_at)
        RETURNING known.sku_id
    ), gone AS (
        UPDATE inventory_quota q SET state = 'ended'
        WHERE q.plan_id IN (SELECT id FROM plans) AND q.state = 'live'
          AND NOT EXISTS (SELECT FROM wished w WHERE (w.id, w.sku_id) = (q.plan_id, q.sku_id))
        RETURNING q.sku_id
    )
    SELECT sku_id FROM put UNION SELECT sku_id FROM gone
"""  # noqa: S608  # own text


@transaction.atomic
def plan_quotas(drafts: Sequence[QuotaDraft], *, at: datetime, actor: Actor) -> list[UUID]:
    """Write quota plans down; one whose time has come starts at once. Ids in the order given.

    A live plan that is changed counts so from now on; what it has used stays used. A kit that is
    named is kept as its components, so many of each as it holds. Raises Invalid for a plan that
    contradicts itself or caps a kit, NotFound for one that has ended or is another account's.
    """
    for draft in drafts:
        check_quota(draft, at)
    _check_channels(drafts, actor)
    _check_caps(drafts)
    known = _locked({draft.id for draft in drafts if draft.id}, actor)
    rows = []
    for draft in drafts:
        row = known[draft.id] if draft.id else QuotaPlan(account_id=draft.account_id)
        if row.account_id != draft.account_id or row.state == QuotaState.ENDED:
            raise NotFound("There is no such quota, or it has ended.")
        for name, value in {
            **{name: getattr(draft, name) for name in _PLAIN},
            **columns_of(draft.selection),
        }.items():
            setattr(row, name, value)
        rows.append(row)
    _write(rows, "quota.planned", "planned", at=at, actor=actor)
    _start([row for row in rows if row.starts_at <= at], at=at, actor=actor)
    return [row.pk for row in rows]


@transaction.atomic
def end_quotas(plan_ids: Collection[UUID], *, at: datetime, actor: Actor) -> None:
    """End plans now: what is not used is everybody's again. Raises IllegalTransition when ended."""
    known = _locked(plan_ids, actor)
    _end([known[plan_id] for plan_id in plan_ids], at=at, actor=actor)


@transaction.atomic
def turn_quotas(limit: int, *, at: datetime, actor: Actor) -> int:
    """Start the plans whose time has come, and end those whose time is over; how many moved."""
    due = (
        QuotaPlan.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            Q(state=QuotaState.PLANNED, starts_at__lte=at)
            | Q(state=QuotaState.LIVE, ends_at__lte=at)
        )
        .order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))
    )
    rows = list(due[:limit])
    over = [row for row in rows if row.ends_at is not None and row.ends_at <= at]
    _start([row for row in rows if row not in over], at=at, actor=actor)
    _end(over, at=at, actor=actor)
    return len(rows)


@transaction.atomic
def refresh_quotas(*, at: datetime, actor: Actor) -> int:
    """Work out anew what live plans keep: of SKUs that are new, and shares of what may be sold now.

    Figures of what has lately been opened to others are counted anew. Returns how many SKUs moved.
    """
    opened = Quota.objects.for_scope(ALL_ACCOUNTS).filter(
        state=QuotaState.LIVE, spill=True, spill_at__lte=at, spill_at__gt=at - _LATELY
    )
    touch(set(opened.values_list("sku_id", flat=True)), at=at)
    live = (
        QuotaPlan.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=QuotaState.LIVE)
        .order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))
    )
    return len(_put(list(live), at=at))


def check_quota(draft: QuotaDraft, at: datetime) -> None:
    """Raise Invalid for a plan that contradicts itself."""
    share = draft.kind == QuotaKind.PERCENT
    checks = [
        (bool(draft.name.strip()), "Give the quota a name."),
        (draft.kind in QuotaKind.values, f"There is no kind of quota {draft.kind!r}."),
        (
            (draft.percent if share else draft.units) is not None
            and (draft.units if share else draft.percent) is None,
            "A share says percent, any other quota units.",
        ),
        ((draft.units or 0) >= 0, "Units are zero or more."),
        (0 <= (draft.percent or 0) <= 100, "A share is between 0 and 100 percent."),
        ((draft.cap or 0) >= 0, "A cap is zero or more."),
        (draft.ends_at is None or draft.ends_at > draft.starts_at, "It ends before it starts."),
        (draft.ends_at is None or draft.ends_at > at, "It would be over already."),
        (draft.spill or draft.spill_at is None, "Only what is opened to others has a time for it."),
        (draft.selection.lifecycle in {"", *Lifecycle.values}, "There is no such lifecycle."),
        (
            bool(draft.selection.attribute) or not draft.selection.attribute_value,
            "Name the attribute that has this value.",
        ),
    ]
    for holds, detail in checks:
        if not holds:
            raise Invalid(detail)


def _check_channels(drafts: Sequence[QuotaDraft], actor: Actor) -> None:
    wanted = {draft.channel_id: draft.account_id for draft in drafts}
    if any(not actor.scope.allows(account_id) for account_id in wanted.values()):
        raise NotFound("There is no such account.")
    known = Channel.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=wanted)
    if dict(known.values_list("pk", "account_id")) != wanted:
        raise Invalid("There is no such channel.")


def _check_caps(drafts: Sequence[QuotaDraft]) -> None:
    """A cap of a kit would bar its components from being sold by themselves."""
    capped = [draft for draft in drafts if draft.cap is not None]
    kits = Sku.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id__in={draft.account_id for draft in capped},
        code__in={code for draft in capped for code in draft.selection.sku_codes},
        kind=SkuKind.KIT,
    )
    if capped and (kit := kits.order_by("code").first()) is not None:
        raise Invalid(f"{kit.code} is a kit: cap its components, each by itself.")


def _start(rows: Sequence[QuotaPlan], *, at: datetime, actor: Actor) -> None:
    """Put the plans into force; one that is live already is put anew."""
    planned = [row for row in rows if row.state == QuotaState.PLANNED]
    for row in planned:
        row.start()
    _write(planned, "quota.started", "started", at=at, actor=actor)
    _put(rows, at=at)


def _end(rows: Sequence[QuotaPlan], *, at: datetime, actor: Actor) -> None:
    if not rows:
        return
    for row in rows:
        row.end(ends_at=end_of(row.starts_at, row.ends_at, at))
    _write(rows, "quota.ended", "ended", at=at, actor=actor)
    ids = [row.pk for row in rows]
    _lock_quotas(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_quota SET state = 'ended' "
            "WHERE plan_id = ANY(%s) AND state = 'live' RETURNING sku_id",
            [ids],
        )
        touch({row[0] for row in cursor.fetchall()}, at=at)
    versions.bump(TOPIC)


def _put(rows: Sequence[QuotaPlan], *, at: datetime) -> set[int]:
    """Give each SKU that the plans mean its quota; returns the SKUs of which something changed.

    Two statements per account.
    """
    moved: set[int] = set()
    _lock_quotas([row.pk for row in rows])
    for account_id in sorted({row.account_id for row in rows}):
        plans = [row for row in rows if row.account_id == account_id]
        asked: dict[str, Any] = {
            "account": account_id,
            "selections": Jsonb(as_rows([selection_of(row) for row in plans])),
            "skus": None,
            "plans": Jsonb([_columns(place, row) for place, row in enumerate(plans)]),
        }
        with connection.cursor() as cursor:
            cursor.execute(_PUT, asked)
            moved |= {row[0] for row in cursor.fetchall()}
    if moved:
        touch(moved, at=at)
        versions.bump(TOPIC)
    return moved


def _columns(place: int, row: QuotaPlan) -> dict[str, Any]:
    moments = {
        name: value and value.isoformat()
        for name in ("spill_at", "starts_at", "ends_at")
        for value in [getattr(row, name)]
    }
    plain = ("kind", "overlay", "sequence", "units", "percent", "cap", "spill")
    return {
        "place": place,
        "id": str(row.pk),
        "channel_id": str(row.channel_id),
        **{name: getattr(row, name) for name in plain},
        **moments,
    }


def _lock_quotas(plan_ids: Collection[UUID]) -> None:
    """Lock the plans' quotas by ascending id, as whoever takes does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM inventory_quota WHERE plan_id = ANY(%s) ORDER BY id FOR UPDATE",
            [list(plan_ids)],
        )


def _locked(plan_ids: Collection[UUID | None], actor: Actor) -> dict[UUID, QuotaPlan]:
    """The plans, locked by ascending id. Raises NotFound for one out of the actor's scope."""
    wanted = {plan_id for plan_id in plan_ids if plan_id is not None}
    rows = {row.pk: row for row in QuotaPlan.objects.for_scope(actor.scope).locked(wanted)}
    if wanted - rows.keys():
        raise NotFound("There is no such quota.")
    return rows


def _write(
    rows: Sequence[QuotaPlan], topic: str, reason: str, *, at: datetime, actor: Actor
) -> None:
    if not rows:
        return
    fresh = [row for row in rows if row._state.adding]
    known = [row for row in rows if not row._state.adding]
    for row in rows:
        row.event_seq += 1
    QuotaPlan.objects.bulk_create(fresh)
    fields = [*_PLAIN, *columns_of(selection_of(rows[0])), "state", "event_seq"]
    QuotaPlan.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        known, [name.removesuffix("_id") for name in fields]
    )
    for some, kind in ((fresh, Change.CREATED), (known, Change.CHANGED)):
        record_history(QuotaPlan, [row.pk for row in some], kind, at=at, actor=actor, reason=reason)
    events.record(
        [
            events.Fact(
                topic,
                "quota_plan",
                row.pk,
                row.event_seq,
                row.account_id,
                {"channel_id": str(row.channel_id), "kind": row.kind, "overlay": row.overlay},
            )
            for row in rows
        ],
        at=at,
        actor=actor,
    )
