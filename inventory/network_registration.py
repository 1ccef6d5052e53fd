"""What inventory tells the registries about nodes at start-up."""

from datetime import datetime
from typing import Final

from config.kernel import case_reports, ticker
from config.kernel.types import Actor
from inventory import network_cases, services

TURNED_AT_ONCE: Final = 200


def register_all() -> None:
    """Case kinds and the steps of nodes; called once, from `ready()`."""
    case_reports.declare(*network_cases.KINDS)
    ticker.register("inventory.turn_plans", 5, _turn_plans)
    ticker.register("inventory.fold_capacity", 1, _fold_capacity)
    ticker.register("inventory.open_windows", 60, _open_windows)
    ticker.register("inventory.count_docks", 60, _count_docks)


def _turn_plans(at: datetime) -> None:
    services.turn_plans(TURNED_AT_ONCE, at=at, actor=Actor.system("inventory.turn_plans"))


def _fold_capacity(at: datetime) -> None:
    services.fold_capacity(at=at)


def _open_windows(at: datetime) -> None:
    services.open_windows(at=at)


def _count_docks(at: datetime) -> None:
    services.count_docks(at=at, actor=Actor.system("inventory.count_docks"))
