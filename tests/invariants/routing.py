"""Looks at planned orders, and what would be wrong with them."""

from datetime import timedelta
from typing import Final

from config.kernel.types import ALL_ACCOUNTS
from routing.matching_models import ReplanMove
from routing.services.reoptimise import replan_account
from tests.factories.routing import MONDAY_NOON, SYSTEM, a_network, accepted


def looked() -> None:
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", RENO=1)
    accepted(network, {"TEE": 1})
    network.stock("TEE", NEWARK=1)
    at = MONDAY_NOON + timedelta(minutes=20)
    assert replan_account(network.account.pk, at=at, actor=SYSTEM)


def moved_round() -> None:
    """Twice more, each time written down by its look."""
    known = ReplanMove.objects.for_scope(ALL_ACCOUNTS).select_related("run").get()
    for turn in (1, 2):
        known.pk, known.at = None, known.at + timedelta(hours=turn)
        known.save(force_insert=True)
    known.run.moved = 3
    known.run.save()


ROUTING: Final = {
    "routing.moves": (looked, "UPDATE routing_replanrun SET moved = moved + 1"),
    "routing.churn": (looked, moved_round),
}
