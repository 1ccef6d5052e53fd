"""What inventory tells the registries at start-up."""

from datetime import datetime
from uuid import UUID

from config.kernel import access, case_reports, registry, ticker
from config.kernel.services import dwell
from config.kernel.types import Actor
from inventory import cases, selectors, services
from inventory.types import pk_of

STEP_LIMIT = 200


def register_all() -> None:
    """Subject kinds, case kinds, longest stays and steps; called once, from `ready()`."""
    for code, label, model in [
        ("node", "Node", "node"),
        ("sku", "SKU", "sku"),
        ("position", "Stock position", "stockposition"),
        ("count_request", "Count request", "countrequest"),
        ("inbound", "Inbound", "inbound"),
    ]:
        registry.register(registry.Kind(code, label, _path(model)))
    access.declare_nodes(selectors.nodes_used_by)
    case_reports.declare(*cases.KINDS)
    dwell.declare("count_request", "open", cases.COUNT_STUCK_AFTER, cases.open_counts)
    dwell.declare("inbound", "expected", cases.INBOUND_STUCK_AFTER, cases.late_inbound)
    ticker.register("inventory.resume_due", 5, _resume_due)
    ticker.register("inventory.expire_held", 5, _expire_held)
    ticker.register("inventory.free_unowed", 30, _free_unowed)
    ticker.register("inventory.detect_overdue_counts", 300, _detect_overdue_counts)
    ticker.register("inventory.detect_short_risk", 300, _detect_short_risk)


def _path(model: str) -> "registry.Path":
    def path(key: UUID) -> str:
        return f"/admin/inventory/{model}/{pk_of(key)}/change/"

    return path


def _resume_due(at: datetime) -> None:
    services.resume_due(STEP_LIMIT, at=at, actor=Actor.system("inventory.resume_due"))


def _expire_held(at: datetime) -> None:
    services.expire_held(STEP_LIMIT, at=at, actor=Actor.system("inventory.expire_held"))


def _free_unowed(at: datetime) -> None:
    services.free_unowed(STEP_LIMIT, at=at, actor=Actor.system("inventory.free_unowed"))


def _detect_overdue_counts(at: datetime) -> None:
    cases.detect_overdue_counts(at=at)


def _detect_short_risk(at: datetime) -> None:
    cases.detect_short_risk(at=at)
