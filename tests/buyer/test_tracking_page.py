"""The tracking page: the answer first, honest, for whoever holds the link, and nothing personal."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.kernel import clock, vault
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS, Actor
from config.track import guards
from fulfillment.models import FulfillmentOrder
from fulfillment.services import record_tracking
from fulfillment.types import TrackingNews
from integrations.buyer import links
from orders.models import Contact, Order, Promise
from orders.selectors import notes_of
from orders.services import erase_people
from returns.selectors import returns_of
from tests.factories import fulfillment as work
from tests.factories.buyers import with_buyer
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON

BEN = Actor.system("ben")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> None:
    cache.delete_many([f"track:{method}:127.0.0.1" for method in ("GET", "POST")])
    at(NOON)


def at(moment: datetime) -> None:
    clock.set_to(moment, speed=1e-6)


def path_of(order: Order, page: str = "") -> str:
    return urlsplit(links.url_of(order.pk)).path + page


def shown(order: Order, client: Client | None = None, query: str = "") -> str:
    answer = (client or Client()).get(path_of(order) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def headline(order: Order, query: str = "") -> str:
    return shown(order, query=query).partition("<h1>")[2].partition("</h1>")[0]


def promised(order: Order, *days: float) -> None:
    """Give the order's group one version of its promise per number of days after noon."""
    group = order.groups.get()
    for version, after in enumerate(days, start=1):
        Promise.objects.create(
            order=order,
            group=group,
            account_id=order.account_id,
            version=version,
            ship_by=NOON + timedelta(days=1),
            deliver_earliest=NOON + timedelta(days=1),
            deliver_latest=NOON + timedelta(days=after),
            at=NOON,
        )
    order.groups.update(deliver_by=NOON + timedelta(days=days[-1]))


def scanned(parcel: Any, status: str, *, after: float = 4, place: str = "") -> None:
    happened = NOON + timedelta(hours=after)
    news = TrackingNews(
        status=status, happened_at=happened, source="carrier", parcel_id=parcel.pk, place=place
    )
    record_tracking([news], at=happened, actor=BEN)


def shipped() -> tuple[Order, Any]:
    placed, _, box = work.shipped()
    return with_buyer(placed.order), box


class TestLink:
    def test_cannot_be_guessed_and_says_nothing_when_it_is_wrong(self) -> None:
        order, _ = shipped()
        token = links.token_of(order.pk)
        wrong = [
            "x",
            token[:-1],
            token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
            links.token_of(uuid4()),
            token + "=",
            "ä" * 43,
            "%00",
        ]

        answers = [Client().get(f"/t/{each}") for each in wrong]

        assert {answer.status_code for answer in answers} == {404}
        [body] = {answer.content for answer in answers}
        assert b"We cannot show this" in body

    def test_has_128_bits_that_only_we_can_make(self) -> None:
        order_id = uuid4()

        token = links.token_of(order_id)

        assert len(token) == 43
        assert links.order_behind(token) == order_id
        vault.forget()
        assert links.order_behind(token) == order_id

    def test_is_never_cached_indexed_or_passed_on(self) -> None:
        order, _ = shipped()

        answer = Client().get(path_of(order))

        assert answer.headers["Cache-Control"] == "no-store, private"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "script-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.content.decode()

    def test_is_answered_sixty_times_a_minute(self) -> None:
        order, _ = shipped()
        client = Client()

        codes = [client.get(path_of(order)).status_code for _ in range(guards.PAGES_PER_MINUTE + 1)]

        assert (set(codes[:-1]), codes[-1]) == ({200}, 429)

    def test_costs_the_same_however_many_parcels(self) -> None:
        order, _ = shipped()
        with CaptureQueriesContext(connection) as context:
            shown(order)

        assert len(context) <= 16

    def test_takes_what_is_sent_from_a_browser_without_cookies(self) -> None:
        order, _ = shipped()

        answer = Client(enforce_csrf_checks=True).post(path_of(order, "/problem"), {"what": "late"})

        assert answer.status_code == 200

    def test_is_small(self) -> None:
        order, box = shipped()
        for hours in range(1, 40):
            scanned(box, "in_transit", after=hours, place=f"Depot {hours}")

        assert len(shown(order)) < 60_000


class TestAnswer:
    def test_a_promise_that_stands(self) -> None:
        order, _ = shipped()
        promised(order, 3)

        assert headline(order) == "Arriving Thu 5 Mar"

    def test_a_promise_that_moved_says_what_it_was_and_why(self) -> None:
        order, box = shipped()
        promised(order, 3, 5)
        scanned(box, "in_transit", place="Cologne")
        at(NOON + timedelta(days=4))

        assert headline(order) == (
            "Was Thu 5 Mar, now Sat 7 Mar, because the parcel missed a scan after Cologne"
        )

    def test_a_day_that_has_passed_is_said_to_have_passed(self) -> None:
        placed, _ = work.released()
        order = with_buyer(placed.order)
        promised(order, 2)
        at(NOON + timedelta(days=5))

        assert headline(order).startswith("It is late: it was due Wed 4 Mar. It has not left")

    def test_out_for_delivery_is_today(self) -> None:
        order, box = shipped()
        promised(order, 3)
        scanned(box, "out_for_delivery")

        assert headline(order) == "Arriving today"

    def test_delivered(self) -> None:
        order, box = shipped()
        scanned(box, "delivered")

        assert headline(order) == "Delivered Mon 2 Mar"

    def test_ready_for_pickup(self) -> None:
        placed, ready = work.ready()
        order = with_buyer(placed.order)

        assert headline(order) == f"Ready for pickup at {ready.node.name}"

    def test_cancelled(self) -> None:
        placed, _ = work.released()
        Order.objects.for_scope(ALL_ACCOUNTS).filter(pk=placed.order.pk).update(state="cancelled")

        assert headline(placed.order) == "This order was cancelled"

    def test_before_the_first_scan(self) -> None:
        placed, _, _ = work.packed()
        promised(placed.order, 3)

        assert "tracking starts after the first scan" in shown(placed.order)

    @pytest.mark.parametrize(
        ("language", "said"),
        [("de", "Kommt am Do, 5. Mär"), ("es", "Llega el jue 5 mar"), ("en", "Arriving Thu 5 Mar")],
    )
    def test_in_the_readers_language(self, language: str, said: str) -> None:
        order, _ = shipped()
        promised(order, 3)

        assert headline(order, f"?lang={language}").lower() == said.lower()

    def test_days_are_those_of_the_orders_zone(self) -> None:
        order, _ = shipped()
        promised(order, 3.6)  # Friday 02:24 UTC
        order.channel.timezone = "America/New_York"
        order.channel.save()

        assert headline(order) == "Arriving Thu 5 Mar"


class TestParcels:
    def test_each_is_shown_with_its_own_items_and_news(self) -> None:
        order, box = shipped()
        scanned(box, "in_transit", place="Hub North")
        order.lines.create(
            group=order.groups.get(),
            account=order.account,
            position=9,
            sku=SkuFactory(account=order.account),
            title="Later",
            ordered=1,
            backordered=1,
        )

        page = shown(order)

        assert "2 of 3 items" in page
        assert "On its way, <bdi>Hub North</bdi>" in page
        assert "Waiting for stock" in page

    def test_a_title_cannot_become_markup(self) -> None:
        order, _ = shipped()
        order.lines.update(title="<script>alert(1)</script>")

        assert "<script>" not in shown(order)


class TestPrivacy:
    def test_shows_no_more_than_first_name_and_town(self) -> None:
        order, _ = shipped()

        page = shown(order)

        assert "For Ada" in page
        assert "To Brooklyn" in page
        for hidden in ("Lovelace", "Orchard", "11201", "ada@example.com"):
            assert hidden not in page

    def test_the_postcode_shows_the_address_to_this_browser(self) -> None:
        order, _ = shipped()
        client = Client()

        client.post(path_of(order, "/unlock"), {"postcode": " 112 01 "})

        assert "12 Orchard Street" in shown(order, client)
        assert "12 Orchard Street" not in shown(order)

    def test_it_opens_this_order_only(self) -> None:
        one, _ = shipped()
        other, _ = shipped()
        client = Client()
        client.post(path_of(one, "/unlock"), {"postcode": "11201"})
        client.cookies["track"]["path"] = "/"

        assert "12 Orchard Street" not in shown(other, client)

    def test_postcodes_cannot_be_tried_through(self) -> None:
        order, _ = shipped()
        answers = [
            Client().post(path_of(order, "/unlock"), {"postcode": f"{number}"})
            for number in range(guards.TRIES)
        ]

        last = Client().post(path_of(order, "/unlock"), {"postcode": "11201"})

        assert {answer.status_code for answer in answers} == {422}
        assert "Too many tries" in last.content.decode()

    def test_a_forged_cookie_opens_nothing(self) -> None:
        order, _ = shipped()
        client = Client()
        client.cookies["track"] = str(order.pk)

        assert "12 Orchard Street" not in shown(order, client)

    def test_nothing_is_left_of_a_person_who_was_erased(self) -> None:
        order, _ = shipped()
        contacts = Contact.objects.for_scope(ALL_ACCOUNTS).filter(account_id=order.account_id)
        erase_people(
            order.account_id,
            contact_ids=list(contacts.values_list("pk", flat=True)),
            unfinished_too=True,
            at=NOON,
            actor=BEN,
        )

        page = shown(order)

        assert "For Ada" not in page
        assert "Brooklyn" not in page


class TestProblem:
    def report(self, order: Order, **sent: str) -> HttpResponse:
        return Client().post(path_of(order, "/problem"), sent)

    def test_becomes_a_case_with_the_words_as_a_sealed_note(self) -> None:
        order, _ = shipped()

        answer = self.report(order, what="missing", text="The blue one is not there")

        assert "Thank you" in answer.content.decode()
        [case] = CaseReport.objects.filter(kind="BUYER_PROBLEM")
        assert (case.evidence["problem"], case.evidence["note"]) == ("missing", True)
        assert [note.text for note in notes_of(order.pk, ALL_ACCOUNTS)] == [
            "The blue one is not there"
        ]

    def test_asks_what_is_wrong(self) -> None:
        order, _ = shipped()

        answer = self.report(order, text="Hm")

        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
        assert not CaseReport.objects.exists()

    def test_takes_no_novels(self) -> None:
        order, _ = shipped()

        assert self.report(order, what="other", text="x" * 1_001).status_code == 422


class TestReturn:
    def ask(self, order: Order, **sent: str) -> HttpResponse:
        return Client().post(path_of(order, "/return"), sent)

    def delivered(self) -> Order:
        order, box = shipped()
        scanned(box, "delivered")
        at(NOON + timedelta(days=2))
        return order

    def test_starts_with_the_items_and_the_postcode(self) -> None:
        order = self.delivered()
        line = order.lines.get()

        answer = self.ask(order, **{f"units-{line.pk}": "1", "postcode": "11201"})

        assert "Your return is registered" in answer.content.decode()
        [made] = returns_of([order.pk])[order.pk]
        assert [each.requested for each in made.lines.all()] == [1]

    def test_needs_the_postcode(self) -> None:
        order = self.delivered()

        answer = self.ask(order, **{f"units-{order.lines.get().pk}": "1", "postcode": "1"})

        assert answer.status_code == 422
        assert returns_of([order.pk])[order.pk] == []

    def test_is_not_offered_before_delivery(self) -> None:
        order, _ = shipped()

        assert "A return is not possible now" in shown(order)


def test_work_of_another_order_is_not_shown() -> None:
    one, box = shipped()
    other, _ = shipped()

    assert box.number not in shown(other)
    assert FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).count() == 2
    assert one.pk != other.pk
