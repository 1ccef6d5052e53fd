"""What inventory tells the registries at start-up."""

from datetime import datetime
from uuid import UUID

from config.kernel import access, case_reports, registry, ticker
from config.kernel.services import dwell
from config.kernel.types import Actor
from inventory import (
    cases,
    drift_registration,
    feed_registration,
    lot_registration,
    network_registration,
    rule_registration,
    selectors,
    services,
)
from inventory.exchange import registered as exchange
from inventory.types import pk_of

STEP_LIMIT = 200
PUBLISHED_AT_ONCE = 5_000
COMPARED_AT_ONCE = 1_000


def register_all() -> None:
    """Subject kinds, case kinds, longest stays and steps; called once, from `ready()`."""
    for code, label, model in [
        ("node", "Node", "node"),
        ("sku", "SKU", "sku"),
        ("position", "Stock position", "stockposition"),
        ("count_request", "Count request", "countrequest"),
    ]:
        registry.register(registry.Kind(code, label, _path(model)))
    registry.register(
        registry.Kind("inbound", "Inbound", lambda key: f"/console/inbound/{pk_of(key)}/")
    )
    registry.register(
        registry.Kind(
            "channel_sku", "SKU in a channel", lambda key: f"/console/stock/figures/{pk_of(key)}/"
        )
    )
    for code, label, page in [
        ("adjustment", "Adjustment", "adjustments"),
        ("transfer", "Transfer", "transfers"),
    ]:
        registry.register(registry.Kind(code, label, _page(page)))
    registry.register(
        registry.Kind("consigned_use", "Consigned goods used", lambda _: "/console/consigned/")
    )
    exchange.register_all()
    drift_registration.register_all()
    feed_registration.register_all()
    network_registration.register_all()
    rule_registration.register_all()
    lot_registration.register_all()
    access.declare_nodes(selectors.nodes_used_by)
    case_reports.declare(*cases.KINDS)
    dwell.declare("count_request", "open", cases.COUNT_STUCK_AFTER, cases.open_counts)
    dwell.declare("adjustment", "proposed", cases.ADJUSTMENT_STUCK_AFTER, cases.waiting_adjustments)
    dwell.declare("transfer", "released", cases.TRANSFER_STUCK_AFTER, cases.unshipped_transfers)
    dwell.declare("inbound", "expected", cases.INBOUND_STUCK_AFTER, cases.late_inbound)
    ticker.register("inventory.resume_due", 5, _resume_due)
    ticker.register("inventory.expire_held", 5, _expire_held)
    ticker.register("inventory.publish_changes", 2, _publish_changes)
    ticker.register("inventory.compare_figures", 30, _compare_figures)
    ticker.register("inventory.free_unowed", 30, _free_unowed)
    ticker.register("inventory.cover_transfers", 10, _cover_transfers)
    ticker.register("inventory.plan_counts", 3_600, _plan_counts)
    ticker.register("inventory.carry_forward", 86_400, _carry_forward)
    ticker.register("inventory.learn_lanes", 3_600, _learn_lanes)
    ticker.register("inventory.refresh_caps", 60, _refresh_caps)
    ticker.register("inventory.detect_overdue_counts", 300, _detect_overdue_counts)
    ticker.register("inventory.detect_short_risk", 300, _detect_short_risk)


def _path(model: str) -> "registry.Path":
    def path(key: UUID) -> str:
        return f"/admin/inventory/{model}/{pk_of(key)}/change/"

    return path


def _page(name: str) -> "registry.Path":
    return lambda key: f"/console/{name}/{key}/"


def _resume_due(at: datetime) -> None:
    services.resume_due(STEP_LIMIT, at=at, actor=Actor.system("inventory.resume_due"))


def _expire_held(at: datetime) -> None:
    actor = Actor.system("inventory.expire_held")
    services.expire_held(STEP_LIMIT, at=at, actor=actor)
    services.end_holds(STEP_LIMIT, at=at, actor=actor)


def _publish_changes(at: datetime) -> None:
    actor = Actor.system("inventory.publish_changes")
    services.publish_changes(PUBLISHED_AT_ONCE, at=at, actor=actor)


def _compare_figures(at: datetime) -> None:
    actor = Actor.system("inventory.compare_figures")
    services.publish_changes(PUBLISHED_AT_ONCE, compare=COMPARED_AT_ONCE, at=at, actor=actor)


def _free_unowed(at: datetime) -> None:
    services.free_unowed(STEP_LIMIT, at=at, actor=Actor.system("inventory.free_unowed"))


def _cover_transfers(at: datetime) -> None:
    services.cover_transfers(STEP_LIMIT, at=at, actor=Actor.system("inventory.cover_transfers"))


def _plan_counts(at: datetime) -> None:
    services.plan_counts(at=at, actor=Actor.system("inventory.plan_counts"))


def _carry_forward(at: datetime) -> None:
    services.carry_forward_due(at=at, actor=Actor.system("inventory.carry_forward"))


def _learn_lanes(at: datetime) -> None:
    services.learn_lanes(at=at, actor=Actor.system("inventory.learn_lanes"))


def _refresh_caps(at: datetime) -> None:
    services.refresh_caps(STEP_LIMIT, at=at, actor=Actor.system("inventory.refresh_caps"))


def _detect_overdue_counts(at: datetime) -> None:
    cases.detect_overdue_counts(at=at)


def _detect_short_risk(at: datetime) -> None:
    cases.detect_short_risk(at=at)
