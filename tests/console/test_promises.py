"""The promise pages: the order in which slack runs out, the ways out, and what was broken."""

from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import Remedy
from fulfillment.services import assess_groups
from orders.models import DeliveryGroup
from orders.services import ask_consent, promise_later
from orders.types import NewDates
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.factories.promises import every_stage_takes_an_hour


def due_soon(house: House) -> tuple[str, UUID]:
    """An order whose ship-by is so near that the usual pace does not keep it."""
    order = house.order(quantity=2)
    group = order["groups"][0]
    every_stage_takes_an_hour(house.network.account.pk)
    assess_groups([group["id"]], at=AT)
    return order["number"], group["id"]


class TestPromises:
    def test_lists_open_ones_by_slack_and_opens_one(self, house: House) -> None:
        number, group_id = due_soon(house)
        client = house.client("ops_manager")

        listed = text_of(client.get(reverse("console:promises")))
        one = text_of(client.get(reverse("console:promise_of", args=[group_id])))

        assert number in listed
        assert "Release" in listed
        assert "What can be done" in one
        assert "Nothing of it is missing: it leaves whole." in one

    def test_a_way_out_is_one_click_and_is_on_record(self, house: House) -> None:
        _, group_id = due_soon(house)
        client = house.client("ops_manager")

        page = client.post(
            reverse("console:promise_act", args=[group_id, "ask"]), {"cost": "0"}, follow=True
        )

        remedy = Remedy.objects.for_scope(ALL_ACCOUNTS).get()
        assert (remedy.kind, remedy.automatic) == ("ask", False)
        assert "Tell the buyer and ask" in text_of(page)
        assert "Silence until" in text_of(page)

    def test_who_may_not_send_from_elsewhere_sees_what_it_needs(self, house: House) -> None:
        _, group_id = due_soon(house)

        shown = text_of(
            house.client("cs_agent").get(reverse("console:promise_of", args=[group_id]))
        )
        refused = house.client("auditor").post(
            reverse("console:promise_act", args=[group_id, "cancel"])
        )

        assert "needs “Send from another node”" in shown
        assert refused.status_code == 403

    def test_an_agent_writes_down_what_the_buyer_said(self, house: House) -> None:
        _, group_id = due_soon(house)
        later = NewDates(group_id, AT + timedelta(days=9), AT + timedelta(days=20))
        promise_later([later], at=AT, actor=ACTOR)
        group = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(pk=group_id)
        [question] = ask_consent([group.order_id], at=AT, actor=ACTOR)

        page = house.client("cs_agent").post(
            reverse("console:consent_answer", args=[question]),
            {"choice": "accept", "text": "Asked by phone."},
            follow=True,
        )

        assert "The new date is accepted" in text_of(page)
        assert "Asked by phone." in text_of(page)


class TestBroken:
    def test_counts_open_their_lists_and_go_out_as_a_file(self, house: House) -> None:
        number, _ = due_soon(house)
        clock.set_to(AT + timedelta(days=12), speed=1e-6)
        client = house.client("ops_manager")
        address = reverse("console:breaches")

        every = text_of(client.get(address, {"days": "30"}))
        none = text_of(client.get(address, {"days": "30", "stage": "deliver"}))
        file = client.get(address, {"days": "30", "as": "csv"}).content.decode()

        assert "1 promise" in every
        assert number in every
        assert number not in none
        assert file.count("\n") == 2
        assert f"{number},1,not_shipped,release" in file
