"""What lots, serials and recalls tell the registries at start-up."""

from datetime import datetime

from config.kernel import case_reports, registry, ticker
from config.kernel.types import Actor
from inventory import lot_cases, services
from inventory.types import pk_of

EXPIRED_AT_ONCE = 200
LOTS_AT_ONCE = 20
REBOUND_AT_ONCE = 200


def register_all() -> None:
    """Subject kinds, case kinds and steps; called once, from `inventory.registration`."""
    registry.register(registry.Kind("lot", "Lot", lambda key: f"/console/lots/{pk_of(key)}/"))
    registry.register(
        registry.Kind("serial", "Serial", lambda key: f"/console/serials/{pk_of(key)}/")
    )
    registry.register(registry.Kind("recall", "Recall", lambda key: f"/console/recalls/{key}/"))
    case_reports.declare(*lot_cases.KINDS)
    ticker.register("inventory.expire_lots", 10, _expire)
    ticker.register("inventory.settle_lots", 5, _settle)
    ticker.register("inventory.stop_recalls", 5, _stop)


def _expire(at: datetime) -> None:
    actor = Actor.system("inventory.expire_lots")
    services.expire_positions(EXPIRED_AT_ONCE, at=at, actor=actor)
    services.expire_lots(EXPIRED_AT_ONCE, at=at, actor=actor)


def _settle(at: datetime) -> None:
    services.settle_due(LOTS_AT_ONCE, at=at, actor=Actor.system("inventory.settle_lots"))
    services.rebind_lost(REBOUND_AT_ONCE)


def _stop(at: datetime) -> None:
    services.stop_recalls(LOTS_AT_ONCE, at=at, actor=Actor.system("inventory.stop_recalls"))
