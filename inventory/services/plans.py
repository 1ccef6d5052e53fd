"""Plans for nodes: closed, or able to do less or more, for a while; they begin and end by themselves."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Node, NodeFunction, NodePlan, PlannedPause
from inventory.services.capacity import open_windows
from inventory.services.node_news import NodeNews, tell_nodes
from inventory.states import Function, PlanKind, PlanState
from inventory.types import PlanDraft


@transaction.atomic
def plan_nodes(drafts: Sequence[PlanDraft], *, at: datetime, actor: Actor) -> list[int]:
    """Write plans down; one whose time has come begins at once. Ids in the order given.

    Raises Invalid for a plan that contradicts itself, NotFound for a node that is not the actor's.
    """
    for draft in drafts:
        check_plan(draft, at)
    nodes = _locked({draft.node_id for draft in drafts}, actor)
    rows = NodePlan.objects.bulk_create(
        NodePlan(
            node_id=draft.node_id,
            function=draft.function,
            kind=draft.kind,
            starts_at=draft.starts_at,
            ends_at=draft.ends_at,
            percent=draft.percent,
            units=draft.units,
            reason=draft.reason.strip(),
        )
        for draft in drafts
    )
    pks = [row.pk for row in rows]
    record_history(NodePlan, pks, Change.CREATED, at=at, actor=actor, reason="planned")
    told = [_news(row, nodes, "node.planned") for row in rows]
    _turn(rows, nodes, told, at=at, actor=actor)
    return pks


@transaction.atomic
def cancel_plans(plan_ids: Collection[int], *, at: datetime, actor: Actor) -> None:
    """Take plans back; one that holds ends now. Raises IllegalTransition for one that is over."""
    wanted = set(plan_ids)
    found = NodePlan.objects.filter(pk__in=wanted)
    nodes = _locked(set(found.values_list("node_id", flat=True)), actor)
    rows = list(found.order_by("pk"))
    if len(rows) != len(wanted):
        raise NotFound("There is no such plan.")
    for row in rows:
        if row.state == PlanState.LIVE and row.starts_at < at < row.ends_at:
            row.ends_at = at
        row.cancel()
    _save(rows, "cancelled", at=at, actor=actor)
    told = [_news(row, nodes, "node.plan_cancelled") for row in rows]
    _settle(nodes, told, at=at, actor=actor)


@transaction.atomic
def turn_plans(limit: int, *, at: datetime, actor: Actor) -> int:
    """Begin the plans whose time has come, and end those whose time is over; how many were turned."""
    due = NodePlan.objects.filter(
        Q(state=PlanState.PLANNED, starts_at__lte=at) | Q(state=PlanState.LIVE, ends_at__lte=at)
    ).order_by("starts_at", "pk")
    found = dict(due.values_list("pk", "node_id")[:limit])
    if not found:
        return 0
    nodes = _locked(set(found.values()), actor)
    rows = list(due.filter(pk__in=found))
    _turn(rows, nodes, [], at=at, actor=actor)
    return len(rows)


def closed_by_plan(node_id: int, function: str) -> NodePlan | None:
    """The plan by which the function is paused now; None when no plan is the reason."""
    found = PlannedPause.objects.filter(function__node_id=node_id, function__function=function)
    pause = found.select_related("plan").first()
    return pause.plan if pause else None


def settle_closures(nodes: Mapping[int, Node], *, at: datetime, actor: Actor) -> None:
    """Pause what a live plan closes, and resume what only plans that are over have paused.

    What people paused stays theirs. The nodes are locked by the caller.
    """
    tell_nodes(_paused_and_resumed(nodes, at=at, actor=actor), at=at, actor=actor)


def check_plan(draft: PlanDraft, at: datetime) -> None:
    """Raise Invalid for a plan that contradicts itself."""
    closes = draft.kind == PlanKind.CLOSED
    amounts = [amount for amount in (draft.percent, draft.units) if amount is not None]
    checks = [
        (draft.kind in PlanKind.values, f"There is no kind of plan {draft.kind!r}."),
        (draft.function in {"", *Function.values}, f"There is no function {draft.function!r}."),
        (bool(draft.reason.strip()), "Say why."),
        (draft.ends_at > draft.starts_at, "It ends before it begins."),
        (draft.ends_at > at, "It would be over already."),
        (not closes or not amounts, "What is closed does nothing: name no amount."),
        (closes or len(amounts) == 1, "Say by how much: in percent, or in units."),
        (all(amount >= 0 for amount in amounts), "An amount is zero or more."),
    ]
    for holds, detail in checks:
        if not holds:
            raise Invalid(detail)


def _turn(
    rows: Sequence[NodePlan],
    nodes: Mapping[int, Node],
    told: list[NodeNews],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Begin or end each plan by its times, and settle what follows."""
    begun = [row for row in rows if row.state == PlanState.PLANNED and row.starts_at <= at]
    for row in begun:
        row.start()
        told.append(_news(row, nodes, "node.plan_started"))
    ended = [row for row in rows if row.state == PlanState.LIVE and row.ends_at <= at]
    for row in ended:
        row.end()
        told.append(_news(row, nodes, "node.plan_ended"))
    _save(list(dict.fromkeys([*begun, *ended])), "turned", at=at, actor=actor)
    _settle(nodes, told, at=at, actor=actor)


def _settle(
    nodes: Mapping[int, Node], told: Sequence[NodeNews], *, at: datetime, actor: Actor
) -> None:
    news = [*told, *_paused_and_resumed(nodes, at=at, actor=actor)]
    tell_nodes(news, at=at, actor=actor)
    open_windows(nodes, at=at)


def _paused_and_resumed(nodes: Mapping[int, Node], *, at: datetime, actor: Actor) -> list[NodeNews]:
    live = NodePlan.objects.filter(
        node_id__in=nodes, kind=PlanKind.CLOSED, state=PlanState.LIVE, ends_at__gt=at
    )
    plans = list(live.order_by("ends_at", "pk"))
    mine = set(
        PlannedPause.objects.filter(function__node_id__in=nodes).values_list("pk", flat=True)
    )
    news: list[NodeNews] = []
    changed: list[NodeFunction] = []
    pauses: list[PlannedPause] = []
    over: list[int] = []
    for row in NodeFunction.objects.filter(node_id__in=nodes).order_by("pk"):
        node, was = nodes[row.node_id], (row.paused, row.paused_until, row.reason)
        plan = next((known for known in reversed(plans) if _closes(known, row)), None)
        if plan is not None and (row.pk in mine or not row.paused):
            row.paused, row.paused_until, row.reason = True, plan.ends_at, plan.reason
            pauses.append(PlannedPause(function=row, plan=plan))
        elif plan is None and row.pk in mine:
            row.paused, row.paused_until, row.reason = False, None, ""
            over.append(row.pk)
        if was != (row.paused, row.paused_until, row.reason):
            changed.append(row)
            news += _told_of(row, node, was[0])
    PlannedPause.objects.filter(pk__in=over).delete()
    PlannedPause.objects.bulk_create(
        pauses, update_conflicts=True, unique_fields=["function"], update_fields=["plan"]
    )
    _save_functions(changed, at=at, actor=actor)
    return news


def _closes(plan: NodePlan, row: NodeFunction) -> bool:
    return plan.node_id == row.node_id and plan.function in {"", row.function}


def _told_of(row: NodeFunction, node: Node, was_paused: bool) -> list[NodeNews]:  # noqa: FBT001
    """News of a function that stops or goes on; a pause that only became longer is none."""
    if row.paused == was_paused:
        return []
    data: dict[str, object] = {"function": row.function}
    if row.paused and row.paused_until is not None:
        data |= {"until": row.paused_until.isoformat(), "reason": row.reason}
    return [NodeNews(node.pk, node.code, "node.paused" if row.paused else "node.resumed", data)]


def _news(row: NodePlan, nodes: Mapping[int, Node], topic: str) -> NodeNews:
    return NodeNews(
        row.node_id,
        nodes[row.node_id].code,
        topic,
        {
            "plan_id": row.pk,
            "kind": row.kind,
            "function": row.function,
            "starts_at": row.starts_at.isoformat(),
            "ends_at": row.ends_at.isoformat(),
            "reason": row.reason,
        },
    )


def _save(rows: Sequence[NodePlan], reason: str, *, at: datetime, actor: Actor) -> None:
    if not rows:
        return
    NodePlan.objects.bulk_update(rows, ["state", "ends_at"])
    pks = [row.pk for row in rows]
    record_history(NodePlan, pks, Change.CHANGED, at=at, actor=actor, reason=reason)


def _save_functions(rows: Sequence[NodeFunction], *, at: datetime, actor: Actor) -> None:
    if not rows:
        return
    NodeFunction.objects.bulk_update(rows, ["paused", "paused_until", "reason"])
    pks = [row.pk for row in rows]
    record_history(NodeFunction, pks, Change.CHANGED, at=at, actor=actor, reason="by plan")


def _locked(node_ids: Iterable[int], actor: Actor) -> dict[int, Node]:
    wanted = set(node_ids)
    scope = ALL_ACCOUNTS if actor.scope.everything else actor.scope
    found = {node.pk: node for node in Node.objects.for_scope(scope).locked(wanted)}
    if len(found) != len(wanted):
        raise NotFound("There is no such node.")
    return found
