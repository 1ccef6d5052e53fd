"""A pickup that its store gave up: its buyer chooses what becomes of it, once, or silence does."""

from datetime import timedelta

import pytest

from config.kernel.errors import Conflict
from config.kernel.models import Account, Event
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.cases import KINDS
from inventory.models import Node
from orders.models import DeliveryGroup, Hold, OrderLine, Promise
from orders.selectors.choices import open_choices
from orders.services import choose_instead, end_choices
from orders.states import PickupChoice
from orders.types import Address, ChoiceGiven, ChoiceMade
from tests.factories.fulfillment import BEN, Placed, place
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON
from tests.factories.pickups import given_up, other_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nearest")]
DAY = timedelta(days=1)
ELSEWHERE = Address(
    name="Ada Lovelace", line1="5 Main Street", city="Albany", region="NY", postal_code="12207",
    country="US",
)  # fmt: skip


def choose(
    placed: Placed,
    choice: str,
    *,
    node: Node | None = None,
    address: Address | None = None,
) -> ChoiceMade:
    given = ChoiceGiven(placed.group.pk, choice, "agent", node.pk if node else None, address)
    return choose_instead(given, at=NOON, actor=BEN)


def group_of(placed: Placed) -> DeliveryGroup:
    found: DeliveryGroup = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(pk=placed.group.pk)
    return found


def active_holds() -> int:
    return int(Hold.objects.for_scope(ALL_ACCOUNTS).active().count())


def test_it_is_collected_at_another_store_that_has_all_of_it_and_chosen_once() -> None:
    placed, order = given_up(2)
    store = other_store(placed, units=2)
    [kind] = [one for one in KINDS if one.code == "PICKUP_REJECTED"]
    assert kind.still_true is not None
    assert kind.still_true([order.pk]) == {order.pk}

    made = choose(placed, PickupChoice.COLLECT, node=store)

    group, line = group_of(placed), placed.line()
    assert (made.units, line.reserved, line.pending) == (2, 2, 0)
    assert (group.method, group.pickup_node_id) == ("pickup", store.pk)
    assert Promise.objects.for_scope(ALL_ACCOUNTS).filter(group=group).exists()
    assert (active_holds(), kind.still_true([order.pk])) == (0, set())
    told = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="order.pickup_choice").data
    assert (told["choice"], told["by"], told["node_id"]) == ("collect", "agent", store.pk)
    with pytest.raises(Conflict, match="chosen before"):
        choose(placed, PickupChoice.CANCEL)


def test_nothing_changes_where_the_other_store_will_not_do() -> None:
    placed, order = given_up(2)
    short = other_store(placed, units=1)

    for node, why in ((short, "all of it"), (order.node, "not collected there")):
        with pytest.raises(Conflict, match=why):
            choose(placed, PickupChoice.COLLECT, node=node)

    assert (active_holds(), placed.line().pending) == (1, 2)
    assert group_of(placed).pickup_node_id == order.node_id


@pytest.mark.parametrize("address", [None, ELSEWHERE])
def test_it_is_sent_to_the_address_that_the_order_names_or_to_the_one_given(
    address: Address | None,
) -> None:
    placed, _ = given_up(2)
    other_store(placed, units=2)

    choose(placed, PickupChoice.SHIP, address=address)

    group = group_of(placed)
    assert (group.method, group.pickup_node_id) == ("ship", None)
    assert group.postal_code == (address.postal_code if address else "11201")
    assert placed.line().reserved == 2


def test_it_is_sent_nowhere_without_an_address_that_can_be_delivered_to() -> None:
    placed, _ = given_up(2)
    DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).update(contact=None, postal_code="")

    for address in (None, Address(line1="5 Main Street", country="US")):
        with pytest.raises(Conflict, match="address"):
            choose(placed, PickupChoice.SHIP, address=address)

    assert active_holds() == 1


def test_silence_cancels_by_the_accounts_promise_policy() -> None:
    placed, waiting, quiet = given_up(2)[0], given_up(1)[0], given_up(1)[0]
    for one, policy in ((waiting, {"cancel_on_silence": False}), (quiet, {"ask": False})):
        Account.objects.filter(pk=one.order.account_id).update(settings={"promises": policy})
    sweep = Actor.system("sweep")

    assert open_choices([placed.order.pk])[placed.group.pk].until == NOON + 7 * DAY
    assert end_choices(10, at=NOON + 6 * DAY, actor=sweep) == 0
    assert end_choices(10, at=NOON + 7 * DAY, actor=sweep) == 1

    assert [one.line().cancelled for one in (placed, waiting, quiet)] == [2, 0, 0]
    assert open_choices([waiting.order.pk])[waiting.group.pk].until is None


def test_what_the_store_was_not_asked_for_goes_along_and_what_lies_there_keeps_the_rest() -> None:
    placed, _ = given_up(2)
    store = other_store(placed, units=2)
    other = place({SkuFactory(account=placed.order.account): 1}, store).line()
    OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(pk=other.pk).update(
        order=placed.order, group=placed.group, position=2
    )

    with pytest.raises(Conflict, match="all of it"):
        choose(placed, PickupChoice.COLLECT, node=other_store(placed, units=2))
    [choice] = open_choices([placed.order.pk]).values()

    assert choice.codes == {placed.line().external_sku: 2, other.external_sku: 1}
    assert not choice.divided
    OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(pk=other.pk).update(released=1, reserved=0)
    with pytest.raises(Conflict, match="still at the first store"):
        choose(placed, PickupChoice.COLLECT, node=store)
    assert choose(placed, PickupChoice.CANCEL).units == 2
