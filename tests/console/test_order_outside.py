"""What follows on an order, and what its channel and its buyer were told of it."""

import pytest
from django.urls import reverse

from config.kernel.events import Recorded
from config.kernel.models import Event
from config.reports import sql
from integrations.buyer import links
from integrations.buyer.services import write_messages
from integrations.models import BuyerMessage, ChannelCopy, CopyKind
from returns.services import open_claims
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.console.test_returns import somebody
from tests.factories.integrations import a_connection
from tests.factories.returns import BACK, CLARA, grade, on_the_way, parcel_of, received, sold, tell

pytestmark = pytest.mark.django_db


class TestTheOrderPage:
    def test_shows_returns_claims_credits_and_the_buyers_link(self) -> None:
        placed = sold(2)
        made = received(placed, 1)
        grade(made)
        person = somebody(placed)
        page = person.reads("order", placed.order.number)
        assert made.number in page
        assert "$10.00 credited" in page
        assert "Copy the link" in page
        raw = person.client.get(reverse("console:order", args=[placed.order.number]))
        assert links.url_of(placed.order.pk) in raw.content.decode()
        lost = on_the_way(1)
        tell(parcel_of(lost).pk, "lost", BACK)
        open_claims([parcel_of(lost).pk], at=BACK, actor=CLARA)
        assert "Lost parcel, not decided" in somebody(lost).reads("order", lost.order.number)

    def test_offers_a_return_only_of_what_the_buyer_has(self, house: House) -> None:
        page = text_of(
            house.client("cs_agent").get(reverse("console:order", args=[house.order()["number"]]))
        )
        assert "Nothing of it is with the buyer." in page


class TestChannelAndBuyer:
    def test_shows_what_the_channel_holds_and_what_is_still_to_be_sent(self, house: House) -> None:
        order = house.order()
        ref = a_connection(house.network.channel)
        for kind, state in ((CopyKind.ORDER, "told"), (CopyKind.ACKNOWLEDGEMENT, "waiting")):
            ChannelCopy.objects.create(
                account_id=ref.account_id, connection_id=ref.id, kind=kind, our_id=order["id"],
                order_id=order["id"], state=state, wanted_at=AT,
            )  # fmt: skip
        client = house.client("cs_agent")
        page = text_of(client.get(reverse("console:order", args=[order["number"]])))
        assert "1 of 1 copies still to be sent" in page
        tab = text_of(client.get(reverse("console:order_outside", args=[order["number"]])))
        assert "Acknowledgement To be sent" in tab
        assert "The order Told by the channel" in tab

    def test_opens_messages_for_who_may_see_contacts_and_records_it(self, house: House) -> None:
        order = house.order()
        row = _letter(order)
        client = house.client("cs_agent")
        address = reverse("console:order_outside", args=[order["number"]])
        closed = text_of(client.get(address))
        assert row.get_kind_display() in closed
        assert "Ada" not in closed
        opened = text_of(client.post(reverse("console:order_messages", args=[order["number"]])))
        assert "Ada" in opened
        page = client.get(reverse("console:order", args=[order["number"]]))
        assert "Contact looked at" in text_of(page)
        again = reverse("console:message_again", args=[order["number"], row.pk])
        assert "is sent again" in text_of(client.post(again, follow=True))


def _letter(order: sql.Row) -> BuyerMessage:
    """The first message about the order: it did not go out."""
    event = Event.objects.for_scope(ACTOR.scope).get(thread_id=order["id"], topic="order.captured")
    recorded = Recorded(
        event.pk, event.topic, event.subject_kind, event.subject_id, event.seq,
        event.account_id, event.thread_id, event.at, event.data, "system", "tests", "",
    )  # fmt: skip
    write_messages([recorded], at=AT, actor=ACTOR)
    row: BuyerMessage = BuyerMessage.objects.for_scope(ACTOR.scope).get(order_id=order["id"])
    row.fail(reason="The server refused it.", at=AT)
    row.save()
    return row
