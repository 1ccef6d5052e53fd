"""A recall stops lots everywhere, says who has them, and has somebody see to each place."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from config.kernel import case_reports, events
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Lot, Recall
from inventory.services.lots import move_lots, settle_lots
from inventory.states import LotState, RecallState


@transaction.atomic
def recall_lots(lot_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor) -> UUID:
    """Call lots back: at once none of them is reserved any more; `stop_recall` does the rest.

    Raises Invalid without a reason or lots, NotFound for a lot that is not the actor's, Conflict
    for lots of several accounts and for one that has expired or was recalled already.
    """
    if not reason.strip():
        raise Invalid("Say why the lots are recalled.")
    rows = list(Lot.objects.for_scope(actor.scope).filter(pk__in=set(lot_ids)))
    if not rows or len(rows) != len(set(lot_ids)):
        raise NotFound("There is no such lot.")
    accounts = {row.account_id for row in rows}
    if len(accounts) != 1:
        raise Conflict("A recall is of one account's lots.")
    recall = Recall(
        account_id=accounts.pop(), reason=reason, opened_at=at, opened_by_name=actor.name
    )
    recall.event_seq = 1
    recall.save(force_insert=True)
    outcomes = move_lots(
        [row.pk for row in rows],
        lambda lot: lot.call_back(recall_id=recall.pk, reason=reason),
        "lot.recalled",
        reason,
        at=at,
        actor=actor,
    )
    refused = [one.problem for one in outcomes if one.problem is not None]
    if refused:
        raise Conflict(refused[0].detail)
    record_history(Recall, [recall.pk], Change.CREATED, at=at, actor=actor, reason=reason)
    _tell(recall, "recall.opened", at=at, actor=actor)
    return recall.pk


def stop_recall(recall_id: UUID, *, at: datetime, actor: Actor) -> int:
    """Move what lies of the recalled lots into quality hold.

    May be interrupted and called again. Returns how many positions were moved.
    """
    lots = list(
        Lot.objects.for_scope(ALL_ACCOUNTS)
        .filter(recall_id=recall_id, state=LotState.RECALLED)
        .values_list("pk", flat=True)
    )
    moved = settle_lots(lots, at=at, actor=actor)
    _finish(recall_id, at=at, actor=actor)
    return moved


def stop_recalls(limit: int, *, at: datetime, actor: Actor) -> int:
    """Go on with recalls that are still stopping; returns how many there were."""
    due = list(
        Recall.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=RecallState.STOPPING)
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )
    for recall_id in due:
        stop_recall(recall_id, at=at, actor=actor)
    return len(due)


@transaction.atomic
def lift_recall(recall_id: UUID, reason: str, *, at: datetime, actor: Actor) -> list[int]:
    """The recall was wrong, or is over: its lots lie on hold until they are released.

    Returns the lots. Raises NotFound, Invalid without a reason, IllegalTransition when lifted.
    """
    if not reason.strip():
        raise Invalid("Say why the recall is lifted.")
    recall = _locked(recall_id, actor)
    recall.lift(reason=reason, at=at)
    lots = list(
        Lot.objects.for_scope(ALL_ACCOUNTS)
        .filter(recall_id=recall_id, state=LotState.RECALLED)
        .values_list("pk", flat=True)
    )
    move_lots(lots, lambda lot: lot.lift(reason=reason), "lot.held", reason, at=at, actor=actor)
    _save(recall, "recall.lifted", reason, at=at, actor=actor)
    return lots


@transaction.atomic
def _finish(recall_id: UUID, *, at: datetime, actor: Actor) -> None:
    """Every lot of it is settled: it has stopped."""
    recall = _locked(recall_id, actor)
    lots = Lot.objects.for_scope(ALL_ACCOUNTS).filter(recall_id=recall_id)
    if recall.state != RecallState.STOPPING or lots.filter(unsettled=True).exists():
        return
    recall.stop(at=at)
    _save(recall, "recall.stopped", recall.reason, at=at, actor=actor)


def ask_to_pull(recall_id: UUID, node_ids: Collection[int], *, at: datetime) -> None:
    """One case per node of these at which recalled goods lie. Told again it is the same case."""
    if node_ids:
        recall = Recall.objects.for_scope(ALL_ACCOUNTS).get(pk=recall_id)
        case_reports.report(_pulls(recall, node_ids), at=at)


def _pulls(recall: Recall, node_ids: Collection[int]) -> list[case_reports.Report]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT position.node_id, node.code, sum(level.on_hand)::bigint,
                array_agg(DISTINCT lot.code ORDER BY lot.code)
            FROM inventory_lot lot
            JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
            JOIN inventory_node node ON node.id = position.node_id
            JOIN inventory_stocklevel level ON level.position_id = position.id
                AND level.lot = lot.code AND level.on_hand > 0
            WHERE lot.recall_id = %s AND position.node_id = ANY(%s) GROUP BY 1, 2 ORDER BY 1
            """,
            [recall.pk, list(node_ids)],
        )
        return [
            case_reports.Report(
                "RECALL_PULL",
                "recall",
                recall.pk,
                recall.account_id,
                {"node": node, "node_id": node_id, "units": units, "lots": codes}
                | {"reason": recall.reason},
                cause=f"recall:{recall.pk}",
                dedupe_key=f"RECALL_PULL:{recall.pk}:{node_id}",
            )
            for node_id, node, units, codes in cursor.fetchall()
        ]


def _locked(recall_id: UUID, actor: Actor) -> Recall:
    found: list[Recall] = list(Recall.objects.for_scope(actor.scope).locked([recall_id]))
    if not found:
        raise NotFound("There is no such recall.")
    return found[0]


def _save(recall: Recall, topic: str, reason: str, *, at: datetime, actor: Actor) -> None:
    recall.event_seq += 1
    recall.save(update_fields=["state", "stopped_at", "lifted_at", "lift_reason", "event_seq"])
    record_history(Recall, [recall.pk], Change.CHANGED, at=at, actor=actor, reason=reason)
    _tell(recall, topic, at=at, actor=actor)


def _tell(recall: Recall, topic: str, *, at: datetime, actor: Actor) -> None:
    events.record(
        [
            events.Fact(
                topic,
                "recall",
                recall.pk,
                recall.event_seq,
                recall.account_id,
                {"recall_id": str(recall.pk), "reason": recall.reason},
            )
        ],
        at=at,
        actor=actor,
    )
