"""The network changes: nodes open, pause one function or all, resume, drain and close."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime

import holidays
from django.db import transaction

from config.kernel import versions
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Node, NodeClosure, NodeFunction, PlannedPause
from inventory.selectors.network import TOPIC
from inventory.services.node_news import NodeNews, tell_nodes
from inventory.services.plans import closed_by_plan, settle_closures
from inventory.states import Function, NodeState


@transaction.atomic
def pause_node(
    node_id: int,
    function: str | None,
    until: datetime | None,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Stop giving a node work of one function, or of any (None), until a time or until resumed.

    Raises Invalid for an end that has passed or a reason that is missing, Conflict when the
    node does not perform the function, IllegalTransition when it is not active.
    """
    if not reason.strip():
        raise Invalid("Say why the node is paused.")
    if until is not None and until <= at:
        raise Invalid("The pause would be over already.")
    node = _locked(node_id, actor)
    if function is None:
        node.pause(until=until, reason=reason)
        node.save(update_fields=["state", "paused_until", "pause_reason"])
        record_history(Node, [node.pk], Change.CHANGED, at=at, actor=actor, reason=reason)
    else:
        _set_function(node, function, True, until, reason, at=at, actor=actor)
    data = {
        "function": function or "",
        "until": until.isoformat() if until else None,
        "reason": reason,
    }
    _tell(node, "node.paused", data, at=at, actor=actor)


@transaction.atomic
def resume_node(node_id: int, function: str | None, *, at: datetime, actor: Actor) -> None:
    """Give a node work again: of one function, or of all that are not paused by themselves.

    Raises Conflict for a function that a plan closes: whoever opens it cancels the plan. One that its
    own pause has kept until now is closed by a plan that holds meanwhile.
    """
    node = _locked(node_id, actor)
    if function is not None and (plan := closed_by_plan(node.pk, function)) is not None:
        raise Conflict(
            f"A plan closes it until {plan.ends_at:%Y-%m-%d %H:%M} UTC: cancel the plan."
        )
    if function is None:
        node.resume()
        node.save(update_fields=["state", "paused_until", "pause_reason"])
        record_history(Node, [node.pk], Change.CHANGED, at=at, actor=actor, reason="resumed")
    else:
        _set_function(node, function, False, None, "", at=at, actor=actor)
    _tell(node, "node.resumed", {"function": function or ""}, at=at, actor=actor)
    settle_closures({node.pk: node}, at=at, actor=actor)


def activate_node(node_id: int, *, at: datetime, actor: Actor) -> None:
    """The node takes work from now on."""
    _move(node_id, Node.activate, "node.activated", "activated", at=at, actor=actor)


def drain_node(node_id: int, reason: str, *, at: datetime, actor: Actor) -> None:
    """The node finishes what it has and is given nothing new."""

    def drain(node: Node) -> None:
        node.drain(reason=reason)

    _move(node_id, drain, "node.drained", reason, at=at, actor=actor)


def close_node(node_id: int, *, at: datetime, actor: Actor) -> None:
    """The node executes nothing any more. Raises Conflict while anything is reserved there."""

    def close(node: Node) -> None:
        if node.positions.filter(reserved__gt=0).exists():
            raise Conflict("Units are still reserved at this node: drain it first.")
        node.close()

    _move(node_id, close, "node.closed", "closed", at=at, actor=actor)


def resume_due(limit: int, *, at: datetime, actor: Actor) -> int:
    """End the pauses whose time is over, one node after another; returns how many ended."""
    functions = list(
        NodeFunction.objects.filter(paused=True, paused_until__lte=at, planned_pause__isnull=True)
        .order_by("paused_until", "pk")
        .values_list("node_id", "function")[:limit]
    )
    whole = list(
        Node.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=NodeState.PAUSED, paused_until__lte=at)
        .order_by("paused_until", "pk")
        .values_list("pk", flat=True)[:limit]
    )
    due: list[tuple[int, str | None]] = [*functions, *((node_id, None) for node_id in whole)]
    for node_id, function in due:
        resume_node(node_id, function, at=at, actor=actor)
    return len(due)


@transaction.atomic
def fill_closures(
    node_ids: Collection[int], years: Sequence[int], *, at: datetime, actor: Actor
) -> int:
    """Enter the public holidays of the nodes' countries; what is entered already stays. Count of new ones."""
    nodes = Node.objects.for_scope(actor.scope).filter(pk__in=node_ids).exclude(holiday_country="")
    calendars: dict[str, dict[date, str]] = {}
    wanted = []
    for node in nodes.order_by("pk"):
        country = node.holiday_country
        if country not in calendars:
            calendars[country] = dict(holidays.country_holidays(country, years=list(years)))
        wanted += [
            NodeClosure(node=node, on=on, name=name[:120])
            for on, name in sorted(calendars[country].items())
        ]
    known = set(NodeClosure.objects.filter(node_id__in=node_ids).values_list("node_id", "on"))
    fresh = [row for row in wanted if (row.node_id, row.on) not in known]
    made = NodeClosure.objects.bulk_create(fresh)
    pks = [row.pk for row in made]
    record_history(NodeClosure, pks, Change.CREATED, at=at, actor=actor, reason="public holidays")
    versions.bump(TOPIC)
    return len(made)


@transaction.atomic
def _move(
    node_id: int,
    transit: Callable[[Node], None],
    topic: str,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    node = _locked(node_id, actor)
    transit(node)
    node.save(update_fields=["state", "paused_until", "pause_reason"])
    record_history(Node, [node.pk], Change.CHANGED, at=at, actor=actor, reason=reason)
    _tell(node, topic, {"reason": reason}, at=at, actor=actor)


def _locked(node_id: int, actor: Actor) -> Node:
    node: Node | None = Node.objects.for_scope(actor.scope).locked([node_id]).first()
    if node is None:
        raise NotFound("There is no such node.")
    return node


def _set_function(
    node: Node,
    function: str,
    paused: bool,  # noqa: FBT001  # the value of the column
    until: datetime | None,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    if function not in Function.values:
        raise Invalid(f"There is no function {function!r}.")
    row = NodeFunction.objects.filter(node=node, function=function).first()
    if row is None:
        raise Conflict(f"{node.code} does not offer {function}.")
    # Whoever pauses it by hand ends it by hand, whatever a plan says.
    PlannedPause.objects.filter(function=row).delete()
    row.paused, row.paused_until, row.reason = paused, until, reason
    row.save(update_fields=["paused", "paused_until", "reason"])
    record_history(
        NodeFunction, [row.pk], Change.CHANGED, at=at, actor=actor, reason=reason or "resumed"
    )


def _tell(
    node: Node, topic: str, data: Mapping[str, object], *, at: datetime, actor: Actor
) -> None:
    tell_nodes([NodeNews(node.pk, node.code, topic, data)], at=at, actor=actor)
