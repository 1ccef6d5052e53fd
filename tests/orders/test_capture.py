"""Capture: once, whatever it lacks; what it lacks becomes holds."""

from dataclasses import replace

import phonenumbers
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.models import Event, SubjectKey
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from orders.models import Contact, Customer, Hold, Order
from orders.services import capture_orders
from orders.services.capture import LEAST_PART
from orders.types import Address, LineDraft, Party
from orders.validators.party import to_e164
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, lines_of, order_of, totals


class TestCaptureOrders:
    def test_keeps_the_order_with_its_lines_and_records_the_event(self, web: Shop) -> None:
        sku = web.sku(5)
        draft = web.draft(line(sku, 2, price="9.99"))

        (outcome,) = capture_orders([draft], at=NOON, actor=ANNA)

        assert outcome.value is not None
        order = order_of(outcome.value.id)
        assert order.number.startswith("SY-1")
        assert (order.state, order.progress, order.total_minor) == ("captured", "waiting", 1998)
        (kept,) = lines_of(order)
        assert (kept.sku_id, kept.ordered, kept.pending) == (sku.id, 2, 2)
        topics = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order.id)
        assert list(topics.values_list("topic", "seq")) == [("order.captured", 1)]
        assert order.history.count() == 1

    def test_answers_a_repeat_with_the_first(self, web: Shop) -> None:
        draft = web.draft(line(web.sku(5)))
        first = capture_orders([draft], at=NOON, actor=ANNA)[0]

        again = capture_orders([draft, draft], at=NOON, actor=ANNA)

        assert [outcome.kind for outcome in again] == [OutcomeKind.REPEATED] * 2
        assert first.value is not None
        assert [outcome.value.id for outcome in again if outcome.value] == [first.value.id] * 2
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_writes_a_large_batch_in_parts_each_order_and_buyer_once(self, web: Shop) -> None:
        sku, buyer = web.sku(5), Party(name="Ada Buyer", email="ada@example.com")
        drafts = [
            web.draft(line(sku, quantity), customer=buyer)
            for quantity in range(1, 2 * LEAST_PART + 2)
        ]
        first = capture_orders(drafts[::100], at=NOON, actor=ANNA)

        outcomes = capture_orders([*drafts, drafts[0]], at=NOON, actor=ANNA)

        answered = [one.value.external_id for one in outcomes if one.value]
        assert answered == [draft.external_id for draft in (*drafts, drafts[0])]
        repeated = {at for at, one in enumerate(outcomes) if one.kind == OutcomeKind.REPEATED}
        assert repeated == {0, 100, 200, 201}
        assert [outcomes[at].value.id for at in (0, 100, 200) if outcomes[at].value] == [
            one.value.id for one in first if one.value
        ]
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == len(drafts)
        assert Customer.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_makes_keys_only_for_what_is_written(self, web: Shop) -> None:
        draft, sku = web.draft(line(web.sku(5))), web.sku(5)
        capture_orders([draft], at=NOON, actor=ANNA)
        before = SubjectKey.objects.count()

        refused = web.draft(line(sku, 0))
        outcomes = capture_orders([draft, refused, web.draft(line(sku))], at=NOON, actor=ANNA)

        assert [str(one.kind) for one in outcomes] == ["repeated", "refused", "done"]
        assert SubjectKey.objects.count() == before + 1

    def test_refuses_what_nobody_sold_with_everything_wrong_at_once(self, web: Shop) -> None:
        draft = web.draft(line(web.sku(5), 0), currency="dollars")

        (outcome,) = capture_orders([draft], at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert {error["pointer"] for error in outcome.problem.extra["errors"]} >= {
            "/groups/0/lines/0/quantity",
            "/currency",
        }
        assert not Order.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_captures_what_is_sold_even_when_it_is_wrong(self, web: Shop) -> None:
        paid = card(1000, collected_by="channel")
        draft = web.draft(line(web.sku(5), 0), currency="dollars", tenders=(paid,))

        (outcome,) = capture_orders([draft], at=NOON, actor=ANNA)

        assert outcome.value is not None
        assert set(outcome.value.holds) >= {"review"}
        assert order_of(outcome.value.id).currency == "USD"

    def test_holds_an_unmapped_line_and_reports_a_case(self, web: Shop) -> None:
        order = web.captured(line("NOBODY-KNOWS"), line(web.sku(3)))

        (hold,) = Hold.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
        assert (hold.type, hold.scope, hold.blocks) == ("unmapped", "line", ["accept"])
        assert "NOBODY-KNOWS" in hold.reason
        assert (order.holds_open, order.blocked) == (1, [])

    def test_holds_an_address_nobody_can_deliver_to(self, web: Shop) -> None:
        nowhere = Address(
            line1="1 Road", city="Albany", region="NY", postal_code="ABC", country="US"
        )

        order = web.captured(line(web.sku(3)), address=nowhere)

        (hold,) = Hold.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
        assert (hold.type, hold.scope) == ("address", "group")
        assert hold.blocks == ["release", "capture"]

    def test_holds_a_suspected_duplicate_of_the_same_buyer_and_place(self, web: Shop) -> None:
        sku, buyer = web.sku(9), Party(name="Ada", email="ada@example.com")
        first = web.captured(line(sku, 2), customer=buyer)

        second = web.captured(line(sku, 2), customer=buyer)

        (hold,) = Hold.objects.for_scope(ALL_ACCOUNTS).filter(order=second)
        assert hold.type == "duplicate"
        assert first.number in hold.reason

    def test_holds_totals_that_do_not_add_up(self, web: Shop) -> None:
        order = web.captured(line(web.sku(3)), totals=totals(5000))

        assert Hold.objects.for_scope(ALL_ACCOUNTS).get(order=order).type == "totals"
        assert order.total_minor == 5000

    def test_expands_a_kit_into_components_with_their_share_of_the_price(self, web: Shop) -> None:
        cup, lid = web.sku(9, price_minor=300), web.sku(9, price_minor=100)
        kit = web.sku(kind="kit", components={cup: 2, lid: 1})

        order = web.captured(line(kit, 3, price="9.99"))

        parent, *parts = lines_of(order)
        assert (parent.kind, parent.total_minor, parent.pending) == ("kit", 2997, 0)
        assert [(part.sku_id, part.ordered) for part in parts] == [(cup.id, 6), (lid.id, 3)]
        assert sum(part.total_minor for part in parts) == 2997
        assert order.total_minor == 2997

    def test_keeps_personal_data_sealed_under_a_key(self, web: Shop) -> None:
        web.captured(line(web.sku(3)), customer=Party(name="Zoltan Canary", email="z@canary.io"))

        for contact in Contact.objects.for_scope(ALL_ACCOUNTS):
            assert b"Canary" not in bytes(contact.sealed or b"")
            assert contact.email_hash != "z@canary.io"
        assert SubjectKey.objects.count() == 1

    def test_knows_a_customer_by_e_mail_across_orders(self, web: Shop) -> None:
        sku = web.sku(9)
        for quantity in (1, 2):
            web.captured(line(sku, quantity), customer=Party(name="Ada", email="ADA@example.com"))

        assert Customer.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_closes_history_at_once_with_every_unit_delivered(self, web: Shop) -> None:
        order = web.captured(line(web.sku(), 4), line("OLD-CODE", 1), mode="history")

        assert (order.state, order.progress, order.holds_open) == ("closed", "delivered", 0)
        assert [(kept.delivered, kept.pending) for kept in lines_of(order)] == [(4, 0), (1, 0)]
        topics = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order.id)
        assert list(topics.values_list("topic", flat=True)) == ["order.imported"]

    def test_does_not_let_one_bad_order_stop_the_others(self, web: Shop) -> None:
        sku = web.sku(9)
        good, bad = web.draft(line(sku, 1)), web.draft(line(sku, -1))

        outcomes = capture_orders([bad, good, replace(good)], at=NOON, actor=ANNA)

        assert [outcome.kind.value for outcome in outcomes] == ["refused", "done", "repeated"]

    def test_links_a_gift_to_the_line_it_goes_with(self, web: Shop) -> None:
        bought = line(web.sku(9), external_id="A")
        gift = LineDraft("B", web.sku(9).code, 1, parent_external_id="A", relation="gift")

        order = web.captured(bought, gift)

        parent, child = lines_of(order)
        assert child.parent_id == parent.id


class TestPhoneNumbers:
    @given(
        st.from_regex(r"\+1[2-9][0-9]{9}", fullmatch=True),
        st.sampled_from(["US", "CA", "JM", "DE", ""]),
    )
    def test_of_north_america_in_e164_are_what_reading_them_makes(self, phone, country):
        parsed = phonenumbers.parse(phone, country or None)

        assert phonenumbers.is_possible_number(parsed)
        assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == phone
        assert to_e164(phone, country) == phone
