"""Messages to buyers: once per fact, in their language, sealed, and silent where we should be."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import ids
from config.kernel.events import Recorded
from config.kernel.models import Intent
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from fulfillment.services import record_tracking
from fulfillment.types import TrackingNews
from integrations.buyer import payment_letters, services
from integrations.buyer.selectors import ReadMessage, messages_of
from integrations.models import BrandVoice, BuyerMessage
from orders.models import Order, Promise
from orders.services import erase_people, move_promises
from orders.types import Party, PromiseMove
from tests.factories import fulfillment as work
from tests.factories.buyers import told, with_buyer
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON
from tests.factories.orders import Shop, line, only_line, shop

BEN = Actor.system("ben")
pytestmark = pytest.mark.django_db


def write(*events: Recorded) -> list[UUID]:
    return services.write_messages(events, at=NOON, actor=BEN)


def letters(order: Order) -> list[ReadMessage]:
    return messages_of(order.pk, ALL_ACCOUNTS)


def letter(order: Order) -> ReadMessage:
    [only] = letters(order)
    return only


def bought(web: Shop, **details: Any) -> Order:
    return web.captured(line(web.sku(5, name="Blue mug"), 2), **details)


class TestOnce:
    def test_a_fact_is_told_once_however_often_its_event_comes(self, web: Shop) -> None:
        order = bought(web)
        event = told("order.captured", order)

        first, again = write(event), write(event, event)

        assert (len(first), again) == (1, [])
        assert len(letters(order)) == 1
        assert Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind=services.SEND).count() == 1

    def test_two_events_of_one_fact_are_one_message(self, web: Shop) -> None:
        order = bought(web)

        write(told("order.captured", order), told("order.captured", order))

        assert len(letters(order)) == 1

    def test_each_parcel_is_told_of(self, db: None) -> None:
        placed, _, box = work.shipped()
        order = with_buyer(placed.order)
        event = told("parcel.shipped", order, subject=box.pk)

        write(event)

        assert letter(order).subject == f"Your order {order.number} is on its way"
        assert "T-1" in letter(order).plain

    def test_many_events_cost_as_many_statements_as_one(self, web: Shop) -> None:
        few, many = [bought(web)], [bought(web) for _ in range(6)]

        def statements(orders: list[Order]) -> int:
            with CaptureQueriesContext(connection) as context:
                write(*[told("order.captured", order) for order in orders])
            return len(context)

        assert statements(few) == statements(many)


class TestWords:
    def test_the_letter_greets_by_first_name_and_lists_what_was_ordered(self, web: Shop) -> None:
        order = bought(web)

        write(told("order.captured", order))

        read = letter(order)
        assert read.to.endswith("@example.com")
        assert "Hello Ada," in read.plain
        assert "2 × Blue mug" in read.plain
        assert "Blue mug" in read.html
        assert "/t/" in read.plain

    @pytest.mark.parametrize(
        ("country", "subject"),
        [
            ("DE", "Ihre Bestellung {} ist bei uns"),
            ("ES", "Hemos recibido tu pedido {}"),
            ("US", "We have your order {}"),
            ("JP", "We have your order {}"),
        ],
    )
    def test_the_language_is_what_is_spoken_where_it_goes(
        self, web: Shop, country: str, subject: str
    ) -> None:
        order = bought(web)
        order.groups.update(country=country)

        write(told("order.captured", order))

        assert letter(order).subject == subject.format(order.number)

    def test_the_channels_language_stands_before_the_country(self, web: Shop) -> None:
        web.channel.settings = {"language": "de-AT"}
        web.channel.save()
        order = bought(web)

        write(told("order.captured", order))

        assert letter(order).language == "de"

    def test_a_title_cannot_become_markup(self, web: Shop) -> None:
        order = web.captured(line(web.sku(5), title="<b>Fish & chips</b>"))

        write(told("order.captured", order))

        read = letter(order)
        assert "<b>Fish" not in read.html
        assert "&lt;b&gt;Fish &amp; chips" in read.html
        assert "<b>Fish & chips</b>" in read.plain

    def test_a_name_cannot_become_a_header(self, web: Shop) -> None:
        order = bought(web, external_number="7\nBcc: all@example.com")

        write(told("order.captured", order))

        assert "\n" not in letter(order).subject

    def test_the_brand_has_its_own_voice(self, web: Shop) -> None:
        BrandVoice.objects.create(
            brand=web.channel.brand,
            account=web.account,
            display_name="Mugs & More",
            from_address="hello@mugs.example",
            help_email="help@mugs.example",
            color="#ffdd00",
        )
        order = bought(web)

        write(told("order.captured", order))

        read = letter(order)
        assert "Mugs & More" in read.plain
        assert "help@mugs.example" in read.html
        assert "background:#ffdd00;color:#15191d" in read.html


class TestKinds:
    def test_a_delivered_parcel(self, db: None) -> None:
        placed, _, box = work.shipped()
        order = with_buyer(placed.order)
        record_tracking(
            [
                TrackingNews(
                    status="delivered",
                    happened_at=NOON + timedelta(hours=4),
                    source="carrier",
                    parcel_id=box.pk,
                )
            ],
            at=NOON + timedelta(hours=4),
            actor=BEN,
        )

        write(told("parcel.delivered", order, subject=box.pk))

        assert "was delivered on Mon 2 Mar" in letter(order).plain

    def test_a_part_of_an_order_says_that_the_rest_follows(self, db: None) -> None:
        placed, _, box = work.shipped()
        order = with_buyer(placed.order)
        sku = SkuFactory(account=order.account)
        order.lines.create(
            group=placed.group,
            account=order.account,
            position=9,
            sku=sku,
            title="Later",
            ordered=1,
            backordered=1,
        )

        write(told("parcel.shipped", order, subject=box.pk))

        assert letter(order).subject == f"Part of your order {order.number} is on its way"

    def test_a_pickup_that_is_ready(self, db: None) -> None:
        placed, ready = work.ready()
        order = with_buyer(placed.order)

        write(told("fulfillment.packed", order, {"state": "ready_for_pickup"}, subject=ready.pk))

        assert f"lies ready at {ready.node.name}" in letter(order).plain

    def test_a_packed_parcel_is_nothing_to_tell(self, db: None) -> None:
        placed, packed, _ = work.packed()

        write(
            told(
                "fulfillment.packed",
                with_buyer(placed.order),
                {"state": "packed"},
                subject=packed.pk,
            )
        )

        assert letters(placed.order) == []

    def test_cancelled_items(self, web: Shop) -> None:
        order = bought(web)
        data = {"lines": {str(only_line(order).pk): 1}, "initiator": "buyer"}

        write(told("order.units_cancelled", order, data))

        read = letter(order)
        assert read.subject == f"Part of your order {order.number} was cancelled"
        assert "As you asked" in read.plain
        assert "1 × Blue mug" in read.plain

    def test_a_refund(self, web: Shop) -> None:
        order = bought(web)
        data = {"id": str(ids.uuid7()), "amount_minor": 123450}

        write(told("payment.refunded", order, data))

        assert "We have given you back 1,234.50 USD" in letter(order).plain


class TestAskedToPay:
    def test_leads_to_the_channels_page_and_names_the_last_day(self, web: Shop) -> None:
        web.channel.settings = {"pay_url": "https://shop.example.com/pay/{number}"}
        web.channel.save()
        order = bought(web, external_number="#10/7")

        until = "2026-03-07T12:00:00+00:00"
        write(told("payment.asked_for", order, data={"amount_minor": 2000, "until": until}))

        read = letter(order)
        assert read.subject == "Please pay for your order #10/7: 20.00 USD"
        assert "for you until Sat" in read.plain
        assert "Pay for your order: https://shop.example.com/pay/%2310%2F7" in read.plain

    def test_is_refused_where_nobody_would_get_it(self, web: Shop) -> None:
        order = bought(web)
        web.channel.kind = "marketplace"
        web.channel.save()

        [outcome] = payment_letters.ask_to_pay([order.pk], at=NOON, actor=BEN)

        assert outcome.problem is not None
        assert "writes to its buyers itself" in outcome.problem.detail


class TestDelayed:
    def test_a_promise_that_moves_to_a_later_day(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5, name="Blue mug"), 2))
        moved_to(order, days=2)

        write(told("order.resourced", order))
        write(told("order.resourced", order))

        read = letter(order)
        assert "We told you Fri 6 Mar. It will now arrive on Sun 8 Mar" in read.plain

    def test_a_day_that_the_node_has_moved_told_once_with_its_reason(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5, name="Blue mug"), 2))
        group = order.groups.get()
        later = PromiseMove(group.pk, group.ship_by + timedelta(days=3))
        with transaction.atomic():
            move_promises([later], at=NOON, actor=work.BEN)
            assert move_promises([later], at=NOON, actor=work.BEN) == []

        write(told("order.promise_moved", order))
        write(told("order.promise_moved", order))

        assert "because it leaves our warehouse later than planned" in letter(order).plain

    def test_a_promise_that_moves_within_its_day_is_none(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))
        moved_to(order, days=0)

        write(told("order.resourced", order))

        assert letters(order) == []

    def test_a_missed_ship_by_that_the_promise_cannot_bear(self, db: None) -> None:
        placed, _ = work.released()
        order = with_buyer(placed.order)
        order.groups.update(deliver_by=NOON + timedelta(days=2))

        write(
            told(
                "case.opened",
                order,
                {"kind": "SHIP_BY_MISSED"},
                at=NOON + timedelta(days=2),
            )
        )

        assert "because it has not left our warehouse yet" in letter(order).plain

    def test_other_cases_are_not_the_buyers_business(self, db: None) -> None:
        placed, _ = work.released()

        write(told("case.opened", with_buyer(placed.order), {"kind": "EXCESS_SHIPPED"}))

        assert letters(placed.order) == []


def moved_to(order: Order, *, days: int) -> None:
    """Give the order's group a second promise, so many days after the first."""
    [first] = Promise.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
    Promise.objects.create(
        order=order,
        group_id=first.group_id,
        account_id=order.account_id,
        version=2,
        ship_by=first.ship_by,
        deliver_earliest=first.deliver_earliest,
        deliver_latest=first.deliver_latest + timedelta(days=days, minutes=5),
        at=NOON,
    )


class TestSilence:
    @pytest.mark.parametrize("kind", ["marketplace", "pos"])
    def test_channels_that_write_themselves(self, web: Shop, kind: str) -> None:
        web.channel.kind = kind
        web.channel.save()

        order = bought(web)

        assert write(told("order.captured", order)) == []
        assert letters(order) == []

    def test_a_channel_that_says_so(self, web: Shop) -> None:
        web.channel.settings = {"messages_by": "channel"}
        web.channel.save()

        assert write(told("order.captured", bought(web))) == []

    def test_closed_facts_of_the_past(self, web: Shop) -> None:
        order = bought(web)
        Order.objects.for_scope(ALL_ACCOUNTS).filter(pk=order.pk).update(mode="history")

        assert write(told("order.captured", order)) == []

    def test_an_order_taken_over_is_not_confirmed_again(self, web: Shop) -> None:
        order = bought(web)
        Order.objects.for_scope(ALL_ACCOUNTS).filter(pk=order.pk).update(mode="open")

        assert write(told("order.captured", order)) == []

    def test_a_buyer_without_an_address_leaves_a_row_that_says_so(self, web: Shop) -> None:
        order = bought(web, customer=Party(name="Ada Buyer"))

        write(told("order.captured", order))

        assert (letter(order).state, letter(order).reason) == ("silent", services.NO_ADDRESS)
        assert not Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind=services.SEND).exists()


class TestErasure:
    def test_the_text_can_no_longer_be_read(self, web: Shop) -> None:
        order = bought(web)
        write(told("order.captured", order))
        address = letter(order).to

        erase_people(web.account.pk, emails=[address], unfinished_too=True, at=NOON, actor=BEN)

        assert (letter(order).to, letter(order).subject, letter(order).plain) == ("", "", "")

    def test_nothing_personal_stands_in_the_clear(self, web: Shop) -> None:
        order = bought(web)
        write(told("order.captured", order))

        [row] = BuyerMessage.objects.for_scope(ALL_ACCOUNTS).filter(order_id=order.pk).values()

        shown = " ".join(str(value) for name, value in row.items() if name != "sealed")
        # No word that the hexadecimal digits of an identifier could spell ("ada", now and then).
        for word in (letter(order).to, "Ada Buyer", "Hello", "Blue mug"):
            assert word not in shown


def test_shops_of_other_accounts_do_not_see_it(web: Shop) -> None:
    order = bought(web)
    write(told("order.captured", order))
    other = shop()

    assert messages_of(order.pk, Scope(frozenset({other.account.pk}))) == []
