"""A hard limit under real concurrency: whoever comes at once, it is never passed."""

import pytest
from django.db import transaction

from config.kernel import ids
from inventory import selectors, services
from inventory.models import CapacityEntry, CapacityWindow, Node
from inventory.types import Want
from tests.concurrency.test_take import together
from tests.factories.inventory import ANNA, SkuFactory, limited, stock, want
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db(transaction=True)

TAKERS, MOST = 8, 3


def wants_at(node: Node, *, counted: bool) -> list[Want]:
    """Orders that have nothing in common but the node: another SKU each."""
    windows = selectors.current_windows([node.pk], NOON, hard=True)[node.pk, "ship"]
    known = tuple(window.id for window in windows) if counted else ()
    account_id = node.grants.get().account_id
    positions = [stock(5, sku=SkuFactory(account_id=account_id), node=node) for _ in range(TAKERS)]
    return [want(position, windows=known, thread_id=ids.uuid7()) for position in positions]


def served(wants: list[Want]) -> int:
    def take(one: Want) -> int:
        with transaction.atomic():
            return len(services.take([one], at=NOON, actor=ANNA).taken)

    return sum(together([lambda one=one: take(one) for one in wants]))


def test_is_kept_by_takers_who_share_nothing_but_the_node():
    node = limited(hard=True, orders=MOST)

    assert served(wants_at(node, counted=True)) == MOST

    used = CapacityWindow.objects.filter(node=node).values_list("used", flat=True)
    assert (sum(used), CapacityEntry.objects.filter(node=node).count()) == (MOST, MOST)


def test_is_kept_by_nothing_else():
    """The negative control: without the windows everybody is served."""
    node = limited(hard=True, orders=MOST)

    assert served(wants_at(node, counted=False)) == TAKERS
