"""What rules and quotas tell the registries at start-up."""

from datetime import datetime

from config.kernel import registry, ticker
from config.kernel.types import Actor
from inventory import exchange, services
from inventory.exchange.rules import BUFFER_RULES, QUOTAS

STARTED_AT_ONCE = 50
NEW_AT_ONCE = 20_000


def register_all() -> None:
    """Subject kinds and steps; called once, from `inventory.registration`."""
    for code, label, page in [
        ("buffer_rule", "Buffer rule", "rules"),
        ("quota_plan", "Quota", "quotas"),
    ]:
        registry.register(registry.Kind(code, label, _page(page)))
    exchange.register(BUFFER_RULES, QUOTAS)
    ticker.register("inventory.turn_quotas", 5, _turn_quotas)
    ticker.register("inventory.refresh_quotas", 60, _refresh_quotas)
    ticker.register("inventory.apply_buffer_rules", 5, _apply_buffer_rules)
    ticker.register("inventory.refresh_haircuts", 300, _refresh_haircuts)


def _page(name: str) -> registry.Path:
    return lambda key: f"/console/{name}/{key}/"


def _turn_quotas(at: datetime) -> None:
    services.turn_quotas(STARTED_AT_ONCE, at=at, actor=Actor.system("inventory.turn_quotas"))


def _refresh_quotas(at: datetime) -> None:
    services.refresh_quotas(at=at, actor=Actor.system("inventory.refresh_quotas"))


def _apply_buffer_rules(at: datetime) -> None:
    services.apply_due(NEW_AT_ONCE, at=at, actor=Actor.system("inventory.apply_buffer_rules"))


def _refresh_haircuts(at: datetime) -> None:
    actor = Actor.system("inventory.refresh_haircuts")
    services.follow_signals(at=at, actor=actor)
    services.refresh_haircuts(at=at, actor=actor)
