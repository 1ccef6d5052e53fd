"""What orders tell the registries at start-up."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from config.kernel import case_reports, events, registry, ticker
from config.kernel.services import dwell, intents, jobs
from config.kernel.types import Actor, Outcome
from inventory import demand
from inventory import selectors as inventory
from orders import cases, handlers, services, waiting
from orders.selectors.unplaced import UnplacedDemand
from orders.services import money, reauthorize, renew, settle
from orders.types import CancelRequest, HoldRequest

BATCH = 200


def register_all() -> None:
    """Subject kinds, cases, stays, handlers, intents, jobs and steps; once, from `ready()`."""
    registry.register(registry.Kind("order", "Order", lambda key: f"/console/orders/{key}/"))
    case_reports.declare(*cases.KINDS)
    demand.register(UnplacedDemand())
    dwell.declare("order", "captured", cases.ACCEPT_WITHIN, cases.captured_too_long)
    dwell.declare("capture", "requested", cases.ANSWER_WITHIN, cases.unanswered_captures)
    dwell.declare("refund", "pending", cases.ANSWER_WITHIN, cases.unanswered_refunds)
    dwell.declare("hold", "active", timedelta(days=7), cases.held_too_long)
    events.subscribe("orders.cover_shortfalls", ["stock.short"], handlers.on_stock_short)
    events.subscribe("orders.serve_backorders", ["stock.received"], handlers.on_stock_received)
    events.subscribe("orders.leave_node", ["node.paused", "node.drained"], handlers.on_node_paused)
    events.subscribe(
        "orders.ask_consent", ["order.promise_moved", "order.resourced"], handlers.on_promise_moved
    )
    waiting.register_all()
    _register_intents()
    jobs.register(handlers.LEAVE_NODE, _leave_node)
    jobs.register("orders.cancel", _cancel)
    jobs.register("orders.hold", _hold)
    jobs.register("orders.release_holds", _release_holds)
    jobs.register("orders.accept", _accept)
    jobs.register("orders.retry_captures", _retry_captures)
    for name, seconds, run in _STEPS:
        ticker.register(name, seconds, run)


def _register_intents() -> None:
    intents.register(
        money.CAPTURE,
        settle.perform_capture,
        on_answer=settle.record_capture,
        find=settle.find,
        revivable=False,
        instead="retry the capture on the order",
    )
    intents.register(
        reauthorize.RENEW, renew.perform_renewal, on_answer=renew.record_renewal, find=settle.find
    )
    intents.register(
        money.VOID, settle.perform_void, on_answer=settle.record_void, find=settle.find
    )
    intents.register(
        money.REFUND,
        settle.perform_refund,
        on_answer=settle.record_refund,
        find=settle.find,
        revivable=False,
        instead="retry the refund on the order, or settle it by hand",
    )


def _leave_node(
    order_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    return list(services.leave_node(order_ids, params["node_id"], at=at, actor=actor))


def _cancel(
    order_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    return list(
        services.cancel_units(
            [
                CancelRequest(
                    order_id,
                    reason=params.get("reason", ""),
                    initiator=params.get("initiator", "merchant"),
                )
                for order_id in order_ids
            ],
            at=at,
            actor=actor,
        )
    )


def _hold(
    order_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    return list(
        services.place_holds(
            [
                HoldRequest(
                    order_id,
                    params.get("type", "manual"),
                    params.get("reason", ""),
                    handle=params.get("handle", ""),
                )
                for order_id in order_ids
            ],
            at=at,
            actor=actor,
        )
    )


def _release_holds(
    order_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    return list(
        services.release_holds_of_orders(
            order_ids,
            params.get("reason", ""),
            hold_type=params.get("type", ""),
            at=at,
            actor=actor,
        )
    )


def _retry_captures(
    order_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    del params
    return list(services.retry_captures(order_ids, at=at, actor=actor))


def _accept(
    order_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    return list(services.accept_orders(order_ids, at=at, actor=actor))


def _accept_captured(at: datetime) -> None:
    services.accept_captured(BATCH, at=at, actor=Actor.system("orders.accept_captured"))


def _expire_holds(at: datetime) -> None:
    services.expire_holds(BATCH, at=at, actor=Actor.system("orders.expire_holds"))


def _expire_authorizations(at: datetime) -> None:
    services.expire_authorizations(BATCH, at=at, actor=Actor.system("orders.expire_authorizations"))


def _cancel_unpaid(at: datetime) -> None:
    services.cancel_unpaid(BATCH, at=at, actor=Actor.system("orders.cancel_unpaid"))


def _renew_authorizations(at: datetime) -> None:
    services.renew_authorizations(BATCH, at=at, actor=Actor.system("orders.renew_authorizations"))


def _give_stock_back(at: datetime) -> None:
    services.give_stock_back(BATCH, at=at, actor=Actor.system("orders.give_stock_back"))


def _serve_backorders(at: datetime) -> None:
    if skus := inventory.skus_to_serve(BATCH):
        services.serve_backorders(skus, at=at, actor=Actor.system("orders.serve_backorders"))


def _cover_shortfalls(at: datetime) -> None:
    if positions := inventory.short_positions(BATCH):
        services.cover_shortfalls(positions, at=at, actor=Actor.system("orders.cover_shortfalls"))
    services.replace_lost_lots(BATCH, at=at, actor=Actor.system("orders.cover_shortfalls"))


def _source_pending(at: datetime) -> None:
    services.source_left_behind(BATCH, at=at, actor=Actor.system("orders.source_pending"))


def _map_known(at: datetime) -> None:
    services.map_known(at=at, actor=Actor.system("orders.map_known"))


def _close_due(at: datetime) -> None:
    services.close_due(BATCH, at=at, actor=Actor.system("orders.close_due"))


def _settle_credits(at: datetime) -> None:
    services.settle_credits(BATCH, at=at, actor=Actor.system("orders.settle_credits"))


def _end_consents(at: datetime) -> None:
    services.end_consents(BATCH, at=at, actor=Actor.system("orders.end_consents"))


def _end_choices(at: datetime) -> None:
    services.end_choices(BATCH, at=at, actor=Actor.system("orders.end_choices"))


_STEPS = (
    ("orders.accept_captured", 5, _accept_captured),
    ("orders.source_pending", 5, _source_pending),
    ("orders.expire_holds", 5, _expire_holds),
    ("orders.renew_authorizations", 60, _renew_authorizations),
    ("orders.expire_authorizations", 60, _expire_authorizations),
    ("orders.cancel_unpaid", 300, _cancel_unpaid),
    ("orders.give_stock_back", 30, _give_stock_back),
    ("orders.settle_credits", 60, _settle_credits),
    ("orders.serve_backorders", 30, _serve_backorders),
    ("orders.cover_shortfalls", 30, _cover_shortfalls),
    ("orders.map_known", 15, _map_known),
    ("orders.close_due", 30, _close_due),
    ("orders.end_consents", 60, _end_consents),
    ("orders.end_choices", 300, _end_choices),
)
