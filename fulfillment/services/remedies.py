"""Doing something for a promise in danger: once, with its cost and its author on record.

A person chooses an option; where the account allows it, the cheapest one that keeps the promise is
chosen without them, under a limit per order and per day.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

import inventory.selectors
import orders.services
from config.kernel import ids
from config.kernel.errors import Conflict, DomainError, NotFound
from config.kernel.models import Account
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment.models import PromiseSlack, Remedy
from fulfillment.remedies import Endangered, Option, options_for
from fulfillment.services.asking import change_services, pull_back
from fulfillment.services.release import release_groups
from fulfillment.services.slack import assess_groups
from fulfillment.slack import Level
from fulfillment.states import RemedyKind
from fulfillment.types import PullBack, ServiceChange
from orders.promise_policy import DEFAULT, policies_of, policy_from
from orders.types import CancelRequest, NewDates, NodePin, RemedyTold, ServiceWish

DAY: Final = timedelta(hours=24)
_MOST_AT_ONCE: Final = 25


def take_remedy(
    group_id: UUID, kind: str, *, at_most_minor: int | None = None, at: datetime, actor: Actor
) -> Remedy:
    """Do this for the group, as `options_for` offers it now.

    Raises NotFound where no promise of it is open, Conflict where the option is not possible, says
    why, or costs more than `at_most_minor` by now.
    """
    found = options_for(group_id, actor.scope, at=at)
    option = found.option(kind)
    if option.why_not:
        raise Conflict(option.why_not)
    if at_most_minor is not None and (option.cost_minor or 0) > at_most_minor:
        raise Conflict("It costs more by now: look again.", cost_minor=option.cost_minor)
    remedy = _take(found, option, automatic=False, at=at, actor=actor)
    assess_groups([group_id], at=at)
    return remedy


@transaction.atomic
def _take(
    found: Endangered, option: Option, *, automatic: bool, at: datetime, actor: Actor
) -> Remedy:
    group = found.group
    before = {
        "pinned_node_id": group.pinned_node_id,
        "node_id": found.standing.part.node_id,
        "service": group.service_code,
        "fulfillment_order_id": str(found.standing.part.fulfillment_order_id or ""),
    }
    remedy = Remedy(
        id=ids.uuid7(),
        account_id=group.account_id,
        order_id=group.order_id,
        group_id=group.group_id,
        kind=option.kind,
        cost_minor=option.cost_minor or 0,
        currency=group.currency,
        automatic=automatic,
        level=found.level.value,
        before=before,
        after=dict(option.does),
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_name=actor.name[:120],
        at=at,
    )
    told = RemedyTold(group.order_id, group.group_id, option.kind, remedy.cost_minor, automatic)
    orders.services.tell_remedy(told, at=at, actor=actor)
    _DOING[RemedyKind(option.kind)](found, option, at, actor)
    remedy.save(force_insert=True)
    return remedy


def _reroute(found: Endangered, option: Option, at: datetime, actor: Actor) -> None:
    """Unreleased units move at once; of released ones the node is asked, and they are sourced anew."""
    work_id = found.standing.part.fulfillment_order_id
    if work_id is not None:
        _require(pull_back([PullBack(work_id)], at=at, actor=actor))
        return
    pin = NodePin(found.group.group_id, option.does["node_id"])
    _require(orders.services.pin_groups([pin], at=at, actor=actor))


def _upgrade(found: Endangered, option: Option, at: datetime, actor: Actor) -> None:
    work_id, code = found.standing.part.fulfillment_order_id, option.does["service"]
    if work_id is not None:
        level = inventory.selectors.service_level_ids()[code]
        _require(change_services([ServiceChange(work_id, level)], at=at, actor=actor))
        return
    wish = ServiceWish(found.group.group_id, code)
    _require(orders.services.upgrade_services([wish], at=at, actor=actor))


def _split(found: Endangered, option: Option, at: datetime, actor: Actor) -> None:
    del option
    _require(orders.services.let_parts_go([found.group.group_id], at=at, actor=actor))
    _require(release_groups([found.group.group_id], at=at, actor=actor))


def _ask(found: Endangered, option: Option, at: datetime, actor: Actor) -> None:
    """A new version of the promise; telling the buyer and asking follow from it."""
    if option.ship_by is None or option.deliver_by is None:
        raise Conflict("There is no date to promise.")
    dates = NewDates(found.group.group_id, option.ship_by, option.deliver_by)
    _require(orders.services.promise_later([dates], at=at, actor=actor))
    orders.services.ask_consent([found.group.order_id], at=at, actor=actor)


def _cancel(found: Endangered, option: Option, at: datetime, actor: Actor) -> None:
    del option
    lines = orders.services.open_units_of(found.group.group_id)
    reason = "the promise could not be kept"
    wishes = [
        CancelRequest(found.group.order_id, line_id, units, reason) for line_id, units in lines
    ]
    _require(orders.services.cancel_units(wishes, at=at, actor=actor))


_DOING: Final[Mapping[RemedyKind, Callable[[Endangered, Option, datetime, Actor], None]]] = {
    RemedyKind.REROUTE: _reroute,
    RemedyKind.UPGRADE: _upgrade,
    RemedyKind.SPLIT: _split,
    RemedyKind.ASK: _ask,
    RemedyKind.CANCEL: _cancel,
}


def _require(outcomes: "list[Outcome[Any]]") -> None:
    """Raise Conflict with the reason of the first that was refused."""
    for outcome in outcomes:
        if not outcome.ok:
            raise Conflict(outcome.problem.detail if outcome.problem else "It was refused.")


def undo_remedy(remedy_id: UUID, *, at: datetime, actor: Actor) -> Remedy:
    """Take a remedy back: the group goes from where it went, by the service that it had.

    Raises NotFound beyond the scope, and Conflict for what cannot be taken back or was already.
    """
    remedy = _undo(remedy_id, at=at, actor=actor)
    assess_groups([remedy.group_id], at=at)
    return remedy


@transaction.atomic
def _undo(remedy_id: UUID, *, at: datetime, actor: Actor) -> Remedy:
    remedy: Remedy | None = (
        Remedy.objects.for_scope(actor.scope).select_for_update().filter(pk=remedy_id).first()
    )
    if remedy is None:
        raise NotFound("There is no such remedy.")
    if remedy.undone_at is not None:
        raise Conflict("It was taken back already.")
    if why := why_no_undo(remedy):
        raise Conflict(why)
    if remedy.kind == RemedyKind.REROUTE:
        node_id = remedy.before["pinned_node_id"] or remedy.before["node_id"]
        pin = NodePin(remedy.group_id, node_id)
        _require(orders.services.pin_groups([pin], at=at, actor=actor))
    elif remedy.before["fulfillment_order_id"]:
        work_id = UUID(remedy.before["fulfillment_order_id"])
        level = inventory.selectors.service_level_ids()[remedy.before["service"]]
        _require(change_services([ServiceChange(work_id, level)], at=at, actor=actor))
    else:
        wish = ServiceWish(remedy.group_id, remedy.before["service"])
        _require(orders.services.upgrade_services([wish], at=at, actor=actor))
    remedy.undone_at, remedy.undone_by = at, actor.name[:120]
    remedy.save(update_fields=["undone_at", "undone_by"])
    return remedy


def why_no_undo(remedy: Remedy) -> str:
    """Why the remedy cannot be taken back; empty where it can."""
    return why_not_undone(remedy.kind, remedy.before)


def why_not_undone(kind: str, before: Mapping[str, Any]) -> str:
    """The same of a remedy of this kind that changed this."""
    if kind not in {RemedyKind.REROUTE, RemedyKind.UPGRADE}:
        return "What was told, sent or cancelled is not taken back."
    if kind == RemedyKind.REROUTE and before["fulfillment_order_id"]:
        return "Its node was asked to give it back."
    if kind == RemedyKind.UPGRADE and not before["service"]:
        return "It had no service of its own before."
    return ""


def rescue_due(*, at: datetime, actor: Actor) -> list[UUID]:
    """Where accounts allow it, do the cheapest that keeps a promise that would be missed. Answers the groups.

    Only options that the account names, that keep what was promised, and that fit under what it
    may cost per order and in 24 hours. Each in a transaction of its own, one after another per
    account: what is spent is counted under its lock. One that was tried, or is undone, is not tried
    again.
    """
    tried = Remedy.objects.for_scope(ALL_ACCOUNTS).values("group_id")
    rows = list(
        PromiseSlack.objects.for_scope(ALL_ACCOUNTS)
        .filter(high_at__lte=at, certain_at__gt=at)
        .exclude(group_id__in=tried)
        .order_by("certain_at", "group_id")
        .values_list("group_id", "account_id", "order_id")[:_MOST_AT_ONCE]
    )
    policies = policies_of({account_id for _, account_id, _ in rows})
    done = []
    for group_id, account_id, order_id in rows:
        if not policies.get(account_id, DEFAULT).automatic:
            continue
        try:
            rescued = _rescue(group_id, account_id, order_id, at=at, actor=actor)
        except DomainError:
            continue
        if rescued:
            assess_groups([group_id], at=at)
            done.append(group_id)
    return done


@transaction.atomic
def _rescue(
    group_id: UUID, account_id: UUID, order_id: UUID, *, at: datetime, actor: Actor
) -> bool:
    # Without the key: what others write for the account meanwhile need not wait.
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    policy, remedies = policy_from(account.settings), Remedy.objects.for_scope(ALL_ACCOUNTS)
    if remedies.filter(group_id=group_id).exists():
        return False
    spent = remedies.filter(account_id=account_id, automatic=True, undone_at__isnull=True)
    of_day, of_order = _sum(spent.filter(at__gt=at - DAY)), _sum(spent.filter(order_id=order_id))
    most = min(policy.most_per_order_minor - of_order, policy.most_per_day_minor - of_day)
    found = options_for(group_id, actor.scope, at=at)
    allowed = [
        option
        for option in found.options
        if option.kind in policy.automatic
        and option.possible
        and option.in_time
        and option.cost_minor is not None
        and option.cost_minor <= most
    ]
    if not allowed or found.level not in {Level.HIGH, Level.MEDIUM}:
        return False
    best = min(allowed, key=lambda option: (option.cost_minor or 0, option.kind))
    _take(found, best, automatic=True, at=at, actor=actor)
    return True


def _sum(rows: Any) -> int:
    return int(rows.aggregate(spent=Sum("cost_minor"))["spent"] or 0)
