"""The returns desk: found by a scan, graded by a click, refunded line by line."""

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from config.kernel import clock
from config.kernel.ids import uuid7
from inventory.models import Movement
from orders.models import Customer, Refund
from returns.models import Claim, Return, ReturnPhoto
from returns.services import keep_photos, open_claims, receive_unannounced
from returns.services.photos import MOST_BYTES
from returns.states import ReturnState
from returns.types import ArrivedUnits, TakenPhoto, UnannouncedReceipt
from tests.console.conftest import ACTOR, text_of
from tests.factories.fulfillment import Placed
from tests.factories.inventory import NodeFactory, SkuFactory
from tests.factories.kernel import GrantFactory, RoleFactory, UserFactory
from tests.factories.returns import (
    BACK,
    CLARA,
    authorized,
    on_the_way,
    parcel_of,
    published,
    received,
    requested,
    return_of,
    sold,
    tell,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _after_it_came_back() -> Any:
    clock.set_to(BACK + timedelta(hours=1))
    yield
    clock.forget()


@dataclass
class Person:
    """Somebody of the order's account, and what they click."""

    client: Client

    def reads(self, name: str, *arguments: object, **query: str) -> str:
        response = self.client.get(reverse(f"console:{name}", args=arguments), query)
        assert response.status_code == 200, text_of(response)
        return text_of(response)

    def does(self, name: str, *arguments: object, **data: object) -> str:
        """Send a form, and read the page that it leads to."""
        address = reverse(f"console:{name}", args=arguments)
        response = self.client.post(address, data, follow=True)
        return text_of(response)

    def scans(self, code: str) -> Any:
        return self.client.get(reverse("console:returns_scan"), {"scan": code})


def somebody(placed: Placed, role: str = "ops_manager", *, node_id: int | None = None) -> Person:
    user = UserFactory()
    GrantFactory(
        user=user, role=RoleFactory(code=role), account=placed.order.account, node_id=node_id
    )
    client = Client()
    client.force_login(user)
    return Person(client)


def blind(placed: Placed, **details: Any) -> Return:
    """A mug of the order's SKU that came without notice."""
    expected = authorized(placed, 1)
    units = (ArrivedUnits(1, sku_id=placed.line().sku_id),)
    one = UnannouncedReceipt(placed.order.account_id, expected.node_id, units, **details)
    [outcome] = receive_unannounced([one], at=BACK, actor=CLARA)
    assert outcome.value is not None, outcome.problem
    return return_of(outcome.value.return_id)


class TestTheDesk:
    def test_shows_each_return_in_the_tab_where_it_waits(self) -> None:
        placed = sold(9)
        person = somebody(placed)
        expected, to_grade = authorized(placed, 1), received(placed, 1)
        waiting, unknown = requested(placed, 1), blind(placed)
        for tab, own in (
            ("expected", expected), ("to_grade", to_grade), ("to_decide", waiting),
            ("unidentified", unknown),
        ):  # fmt: skip
            page = person.reads("returns", tab=tab)
            assert own.number in page, tab
            others = {expected.number, to_grade.number, waiting.number, unknown.number}
            assert not [each for each in others - {own.number} if each in page.split()], tab
        assert "No return has ended yet" in person.reads("returns", tab="done")
        assert "No carrier owes anything" in person.reads("returns", tab="claims")

    def test_costs_the_same_with_many(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        placed = sold(9)
        person = somebody(placed)
        first = received(placed, 1)
        for _ in range(2):
            received(placed, 1)
            requested(placed, 1)
            with django_assert_max_num_queries(8):
                person.reads("returns", tab="to_grade")
            with django_assert_max_num_queries(24):
                person.reads("return", first.number)

    def test_authorizes_many_clean_requests_at_once(self) -> None:
        placed = sold(9)
        asked = [requested(placed, 1) for _ in range(3)]
        authorized(placed, 1)
        person = somebody(placed)
        assert "3 of 3 here are" in person.reads("returns", tab="to_decide")
        said = person.does("returns_authorize", id=[str(each.pk) for each in asked])
        assert "3 returns authorised." in said
        assert {return_of(each.pk).state for each in asked} == {ReturnState.AUTHORIZED}


class TestAScan:
    def test_of_a_return_opens_it(self) -> None:
        placed = sold(2)
        made = authorized(placed, 1)
        person = somebody(placed)
        for code in (made.number, made.number.lower(), f" {made.number} "):
            answer = person.scans(code)
            assert answer.headers["Location"] == reverse("console:return", args=[made.number])

    def test_of_an_order_offers_what_can_be_done_with_it(self) -> None:
        placed = sold(2)
        page = text_of(somebody(placed).scans(placed.order.number))
        assert "Its goods are here" in page
        assert "Ask for a return" in page

    def test_of_what_nobody_knows_takes_the_parcel_in(self) -> None:
        placed = sold(2)
        person = somebody(placed)
        answer = person.scans("1Z-STRANGE")
        assert answer.headers["Location"].startswith(reverse("console:return_arrived"))
        page = text_of(person.client.get(answer.headers["Location"]))
        assert "Nobody knows 1Z-STRANGE" in page


class TestAReturn:
    def test_is_received_graded_and_refunded_in_four_clicks(self) -> None:
        placed = sold(2)
        made = authorized(placed, 2)
        person = somebody(placed)
        page = person.reads("return", made.number)
        assert "if all of it comes and is accepted" in page
        assert "$20.00" in page
        assert "Not possible now" in page
        assert "It has not come." in page
        said = person.does("return_act", made.number, "receive_all")
        assert "2 units came" in said
        said = person.does("return_grade", made.number, grade="A")
        assert "graded A, as new" in said
        assert "$20.00 were credited" in said
        assert return_of(made.pk).state == ReturnState.SETTLED
        assert Refund.objects.for_scope(ACTOR.scope).get().amount_minor == 2_000
        moved = Movement.objects.for_scope(ACTOR.scope).get(kind="return")
        assert (moved.condition, moved.quantity) == ("available", 2)

    def test_is_graded_in_detail_where_units_differ(self) -> None:
        placed = sold(3)
        made = received(placed, 3)
        person = somebody(placed)
        line = str(made.lines.for_scope(ACTOR.scope).get().pk)
        person.does("return_act", made.number, "grade", line=line, quantity="2", grade="A")
        said = person.does(
            "return_act", made.number, "grade", line=line, quantity="1", grade="D", accepted="no"
        )
        assert "One was not accepted." in said
        assert "to be destroyed" in said
        assert return_of(made.pk).credited_minor == 2_000

    def test_of_regulated_goods_names_the_law_instead_of_restocking(self) -> None:
        sku = SkuFactory(regulation="alcohol")
        placed = sold({sku: 1})
        made = received(placed, 1)
        person = somebody(placed)
        said = person.does("return_grade", made.number, grade="A")
        assert "It is regulated by Alcohol" in said
        line = str(made.lines.for_scope(ACTOR.scope).get().pk)
        person.does(
            "return_act", made.number, "grade", line=line, quantity="1", grade="A", verified="on"
        )
        assert return_of(made.pk).state == ReturnState.SETTLED

    def test_is_declined_with_the_words_for_the_buyer(self) -> None:
        placed = sold(2)
        made = requested(placed, 1)
        person = somebody(placed, "cs_agent")
        said = person.does("return_act", made.number, "decline", why="Worn for a season")
        assert "It was declined: Worn for a season." in said
        refused = person.does("return_act", made.number, "authorize")
        assert "It is declined." in refused

    def test_shows_an_agent_no_button_of_the_warehouse(self) -> None:
        placed = sold(2)
        made = received(placed, 1)
        agent = somebody(placed, "cs_agent").reads("return", made.number)
        assert "Receive" not in agent
        assert "1 to grade" in agent
        operator = somebody(placed, "node_operator", node_id=made.node_id)
        assert "as new, back on the shelf" in operator.reads("return", made.number)
        elsewhere = somebody(placed, "node_operator", node_id=NodeFactory().pk)
        address = reverse("console:return", args=[made.number])
        assert elsewhere.client.get(address).status_code == 404


def picture(kind: str = "JPEG", shade: int = 0) -> SimpleUploadedFile:
    """A small whole picture, under a name that says nothing."""
    content = BytesIO()
    Image.new("RGB", (8, 8), (30 * shade, 90, 90)).save(content, kind)
    return SimpleUploadedFile("x.bin", content.getvalue(), "application/octet-stream")


class TestPhotos:
    def test_are_kept_with_the_grade_and_shown_to_who_sees_the_return(self) -> None:
        placed = sold(2)
        made = received(placed, 1)
        line = made.lines.for_scope(ACTOR.scope).get()
        person = somebody(placed)
        graded = {"line": str(line.pk), "quantity": "1", "grade": "B"}
        said = person.does(
            "return_act", made.number, "grade", **graded, photos=[picture(), picture("WEBP")]
        )
        assert "graded" in said
        first, second = ReturnPhoto.objects.for_scope(ACTOR.scope).order_by("pk")
        assert (first.kind, second.kind) == ("image/jpeg", "image/webp")
        person.does(
            "return_photos", made.number, line=str(line.pk), photos=[picture(), picture("PNG", 9)]
        )
        assert ReturnPhoto.objects.for_scope(ACTOR.scope).count() == 3

        address = reverse("console:return_photo", args=[made.number, first.pk])
        assert (
            address
            in person.client.get(reverse("console:return", args=[made.number])).content.decode()
        )
        shown = person.client.get(address)
        assert shown.headers["Content-Type"] == "image/jpeg"
        assert b"".join(shown).startswith(b"\xff\xd8\xff")
        elsewhere = somebody(placed, "node_operator", node_id=NodeFactory().pk)
        assert elsewhere.client.get(address).status_code == 404
        assert somebody(placed, "integrator").client.get(address).status_code == 403

    def test_that_are_none_too_large_or_too_many_leave_the_goods_ungraded(self) -> None:
        placed = sold(2)
        made = received(placed, 1)
        line = made.lines.for_scope(ACTOR.scope).get()
        person = somebody(placed)
        page = b"<svg onload=alert(1)>"
        for photos, why in (
            ([SimpleUploadedFile("a.jpg", page, "image/jpeg")], "whole JPEG, PNG or WebP"),
            ([SimpleUploadedFile("a.jpg", b"x" * (MOST_BYTES + 1))], "at most 8 MB"),
            ([picture(shade=n) for n in range(7)], "At most 6 photos"),
        ):
            graded = {"line": str(line.pk), "quantity": "1", "grade": "B"}
            said = person.does("return_act", made.number, "grade", **graded, photos=photos)
            assert why in said
        line.refresh_from_db()
        assert line.ungraded == 1
        kept = keep_photos(
            [TakenPhoto(line.pk, picture(shade=n).read()) for n in (*range(7), 0)],
            at=BACK,
            actor=CLARA,
        )
        assert [each.kind for each in kept] == ["done"] * 6 + ["refused", "repeated"]


class TestHowOftenGoodsComeBack:
    def test_stands_by_the_line_and_the_buyers_own_count_for_who_decides(self) -> None:
        placed = sold(25)
        order = placed.order
        order.customer = Customer.objects.create(
            id=uuid7(), account=order.account, identity="x", channel=order.channel, created_at=BACK
        )
        order.save(update_fields=["customer"])
        made = received(placed, 3)
        sent_back = "12.0 % of 25 sent in 90 days came back"
        page = somebody(placed).reads("return", made.number)
        assert sent_back in page
        assert "1 of 1 order had a return in a year" in page
        operator = somebody(placed, "node_operator", node_id=made.node_id)
        assert "had a return in a year" not in operator.reads("return", made.number)
        assert sent_back in somebody(placed).reads("order_return", placed.order.number)

    def test_is_not_measured_where_few_were_sent(self) -> None:
        made = received(placed := sold(2), 1)
        page = somebody(placed).reads("return", made.number)
        assert "Return rate not measured: 2 sent in 90 days" in page


class TestAParcelThatNobodyAnnounced:
    def test_is_taken_in_and_given_to_its_order(self) -> None:
        placed = sold(2)
        person = somebody(placed)
        node = authorized(placed, 1).node_id
        code = placed.line().sku.code
        said = person.does(
            "return_arrived", tracking_number="1Z-STRANGE", node=str(node), sku_1=code, units_1="1"
        )
        assert "of no known order" in said
        made = Return.objects.for_scope(ACTOR.scope).get(kind="blind")
        page = person.reads("return_identify", made.number)
        assert "It has it" in page
        said = person.does("return_identify", made.number, order=str(placed.order.pk))
        assert placed.order.number in said
        assert return_of(made.pk).order_id == placed.order.pk

    def test_may_hold_any_number_of_things_each_added_by_a_scan(self) -> None:
        placed = sold(2)
        person = somebody(placed)
        node = authorized(placed, 1).node_id
        codes = [SkuFactory(account=placed.order.account).code for _ in range(5)]
        address = reverse("console:return_arrived")
        form: dict[str, str] = {"node": str(node)}
        for code in [*codes, codes[0]]:
            page = person.client.post(address, {**form, "scan": code})
            assert page.status_code == 200
            for field in page.context["form"]:
                if field.name.startswith(("sku_", "units_")):
                    form[field.name] = str(field.value())
        unknown = person.client.post(address, {**form, "scan": "WHATEVER"})
        assert "There is no SKU WHATEVER" in text_of(unknown)
        assert "of no known order" in person.does("return_arrived", **form)

        made = Return.objects.for_scope(ACTOR.scope).get(kind="blind")
        came = made.lines.for_scope(ACTOR.scope).values_list("sku__code", "received")
        assert dict(came) == {code: 2 if code == codes[0] else 1 for code in codes}

    def test_with_goods_that_nobody_knows_is_refused_in_words(self) -> None:
        placed = sold(2)
        node = authorized(placed, 1).node_id
        said = somebody(placed).does(
            "return_arrived", node=str(node), sku_1="WHATEVER", units_1="1"
        )
        assert "There is no SKU WHATEVER" in said


class TestAnOrdersReturn:
    def test_is_asked_for_with_the_verdict_and_the_money_first(self) -> None:
        placed = sold(2)
        line = placed.line()
        person = somebody(placed, "cs_agent")
        wish = {f"units_{line.pk}": "2", f"reason_{line.pk}": "changed_mind"}
        page = person.reads("order_return", placed.order.number, **wish)
        assert "Within the policy" in page
        assert "$20.00" in page
        said = person.does("order_return", placed.order.number, **wish)
        made = Return.objects.for_scope(ACTOR.scope).get()
        assert made.number in said
        assert made.lines.for_scope(ACTOR.scope).get().requested == 2

    def test_against_the_policy_needs_the_permission_and_a_reason(self) -> None:
        placed = sold(2)
        published(placed, window_days=1)
        line = placed.line()
        wish = {f"units_{line.pk}": "1", f"reason_{line.pk}": "changed_mind"}
        agent, manager = somebody(placed, "cs_agent"), somebody(placed)
        assert "Against the policy" in agent.reads("order_return", placed.order.number, **wish)
        agent.does("order_return", placed.order.number, **wish)
        agent.does("order_return", placed.order.number, override="Good customer", **wish)
        assert not Return.objects.for_scope(ACTOR.scope).exists()
        manager.does("order_return", placed.order.number, override="Good customer", **wish)
        assert "Good customer" in Return.objects.for_scope(ACTOR.scope).get().words


class TestAClaim:
    def test_is_decided_for_the_buyer_and_answered_by_the_carrier(self) -> None:
        placed = on_the_way(1)
        parcel = parcel_of(placed)
        tell(parcel.pk, "lost", BACK)
        open_claims([parcel.pk], at=BACK, actor=CLARA)
        claim = Claim.objects.for_scope(ACTOR.scope).get()
        person = somebody(placed)
        assert claim.number in person.reads("returns", tab="claims")
        page = person.does("claim_act", claim.number, "resolve", resolution="refund")
        assert "The buyer gets: refunded, $10.00" in page
        person.does("claim_act", claim.number, "file", reference="UPS-1")
        page = person.does(
            "claim_act", claim.number, "answer", paid="yes", amount="8.50", reference="UPS-1"
        )
        assert "The carrier paid $8.50" in page
        by_id = person.client.get(reverse("console:claim_by_id", args=[claim.pk]))
        assert by_id.headers["Location"] == reverse("console:claim", args=[claim.number])
