"""A person is erased: nothing in the database names them, whoever holds the vault key."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

import fulfillment.services
import orders.services
from config.console import verbs
from config.kernel import vault
from config.kernel.models import SubjectKey
from config.kernel.types import ALL_ACCOUNTS
from config.reports import sql
from fulfillment.models import Label, Parcel
from fulfillment.types import Shipment
from integrations.models import InboxMessage
from integrations.services import Incoming, keep_messages
from orders.types import (
    Address,
    AddressCorrection,
    GroupDraft,
    LineDraft,
    NoteDraft,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)
from tests.books import check_all
from tests.console.conftest import ACTOR, AT, House

EMAIL = "zinnia.canary@example.org"
NAME, COMPANY, STREET, PHONE = "Zinnia Canary", "Canary Works", "77 Yellow Lane", "+15185550177"
NEW_STREET, NEWEST_STREET = "78 Ochre Lane", "79 Amber Lane"
CANARIES = (
    EMAIL, NAME, COMPANY, STREET, NEW_STREET, NEWEST_STREET, PHONE, "a gift from zinnia",
    "leave with mr canary", "zinnia called", "she wrote herself", "zinnia in bulk", "raw zinnia",
)  # fmt: skip

BOOKS = (
    "SELECT (SELECT sum(sellable) FROM inventory_stockposition) AS stock, "
    "(SELECT sum(amount_minor) FROM orders_invoice) AS money, "
    "(SELECT count(*) FROM inventory_movement) AS moved, "
    "(SELECT sum(total_minor) FROM orders_order) AS ordered"
)


def address(street: str) -> Address:
    return Address(NAME, COMPANY, street, "", "Albany", "NY", "12207", "US", PHONE)


def bought(house: House, number: str = "C-erase") -> Any:
    """An order of hers with everything that people leave behind; its id."""
    network = house.network
    line = LineDraft("1", "MUG", 1, title="Red mug", unit_price=Decimal(10))
    group = GroupDraft(
        (line,),
        address=address(STREET),
        gift_message="a gift from zinnia",
        handling_notes="leave with mr canary",
    )
    draft = OrderDraft(
        channel_id=network.channel.pk,
        account_id=network.account.pk,
        brand_id=network.channel.brand_id,
        external_id=number,
        currency="USD",
        placed_at=AT,
        groups=(group,),
        customer=Party(name=NAME, company=COMPANY, email=EMAIL, phone=PHONE, external_id="c-77"),
        tenders=(TenderDraft("card", 1_000, collected_by="channel"),),
        totals=StatedTotals(total_minor=1_000),
        note="she wrote herself",
    )
    captured = orders.services.capture_orders([draft], at=AT, actor=ACTOR)[0].value
    assert captured is not None
    orders.services.accept_orders([captured.id], at=AT, actor=ACTOR)
    return captured.id


def lived(house: House) -> sql.Row:
    """Her order: noted, corrected twice, told of by a channel, packed, labelled, shipped."""
    order_id = bought(house)
    orders.services.add_notes([NoteDraft(order_id, "zinnia called")], at=AT, actor=ACTOR)
    group_id = house.fact(order_id)["groups"][0]["id"]
    for street in (NEW_STREET, NEWEST_STREET):
        verbs.correct_address(group_id, address(street), at=AT, actor=ACTOR)
    house.client("cs_agent").post(
        reverse("console:bulk"), {"verb": "note", "id": [str(order_id)], "text": "zinnia in bulk"}
    )
    _tell_of(house, order_id)
    fulfillment.services.release_groups([group_id], at=AT, actor=ACTOR)
    work = house.work_of(house.fact(order_id))
    client = house.client("ops_manager")
    for step in ("acknowledge", "pick", "pack"):
        client.post(reverse("console:work_act", args=[work["code"], work["number"], step]))
    box = Parcel.objects.for_scope(ALL_ACCOUNTS).get(fulfillment_order_id=work["id"])
    _label(box, order_id)
    fulfillment.services.confirm_shipments([Shipment(box.pk, "T-1", "swift")], at=AT, actor=ACTOR)
    return house.fact(order_id)


def _tell_of(house: House, order_id: Any) -> None:
    channel = house.network.channel
    message = Incoming(
        account_id=channel.account_id,
        channel_id=channel.pk,
        connection_id=None,
        source="shopify:x",
        external_id="m-1",
        kind="orders/create",
        headers={},
        raw=b"raw zinnia",
    )
    (kept,) = keep_messages([message], at=AT, actor=ACTOR)
    InboxMessage.objects.for_scope(ALL_ACCOUNTS).filter(pk=kept.id).update(thread_id=order_id)


def _label(box: Parcel, order_id: Any) -> None:
    key = sql.row(
        "SELECT c.key_id FROM orders_deliverygroup g JOIN orders_contact c ON c.id = g.contact_id "
        "WHERE g.order_id = %(id)s",
        {"id": order_id},
    )
    assert key is not None
    document = base64.b64encode(f"%PDF {NEWEST_STREET}".encode()).decode()
    Label.objects.create(
        account_id=box.account_id,
        parcel=box,
        key="label-1",
        carrier_code="swift",
        tracking_number="T-1",
        sealed_with=key["key_id"],
        document=vault.seal(key["key_id"], {"document": document, "text": NEWEST_STREET}),
        media_type="application/pdf",
        bought_at=AT,
    )


def everything() -> Iterator[str]:
    """Every row of every table as a dump would show it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")  # noqa: S608  # a table of ours
            yield from (f"{table} {row}" for (row,) in cursor.fetchall())


def readable() -> str:
    """The whole database, and in it whatever a standing key opens."""
    vault.forget()
    keys = list(SubjectKey.objects.filter(wrapped__isnull=False).values_list("pk", flat=True))
    vault.preload(keys)
    opened = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sealed FROM orders_contact WHERE sealed IS NOT NULL "
            "UNION ALL SELECT sealed FROM orders_ordernote "
            "UNION ALL SELECT gift_message FROM orders_deliverygroup WHERE gift_message IS NOT NULL "
            "UNION ALL SELECT sealed FROM integrations_inboxbody "
            "UNION ALL SELECT document FROM fulfillment_label "
            "UNION ALL SELECT decode(params->>'sealed', 'base64') FROM kernel_job "
            "WHERE params ? 'sealed'"
        )
        for (sealed,) in cursor.fetchall():
            for key in keys:
                with suppress(vault.Tampered):
                    opened.append(_in_words(vault.open_(key, sealed)))
    return "\n".join([*everything(), *opened])


def _in_words(opened: dict[str, Any]) -> str:
    raw = opened.get("raw", "")
    return json.dumps(opened) + (base64.b64decode(raw).decode() if raw else "")


def hashes() -> list[str]:
    return [
        vault.digest("email", EMAIL), vault.digest("phone", PHONE), vault.digest("name", NAME)
    ]  # fmt: skip


def erase(house: House, *options: str) -> str:
    said = StringIO()
    account = house.network.account.code
    call_command("erase_person", EMAIL, "--account", account, *options, stdout=said)
    return said.getvalue()


class TestErasing:
    def test_leaves_nothing_that_names_the_person(self, house: House) -> None:
        order = lived(house)
        before = readable()
        assert not [canary for canary in CANARIES if canary not in before]

        said = erase(house)

        assert "of 1 orders" in said
        after = readable()
        assert not [canary for canary in CANARIES if canary in after]
        assert not [value for value in hashes() if value in after]
        assert house.fact(order["id"]) == order

    def test_leaves_stock_and_money_and_their_history(self, house: House) -> None:
        lived(house)
        before = sql.row(BOOKS, {})

        erase(house)

        assert sql.row(BOOKS, {}) == before
        assert not check_all()

    def test_is_told_once_per_order_and_of_nobody(self, house: House) -> None:
        order = lived(house)

        erase(house)
        erase(house)

        told = sql.rows(
            "SELECT e.data, e.actor_name FROM kernel_event e WHERE e.topic = 'order.person_erased' "
            "AND e.thread_id = %(id)s",
            {"id": order["id"]},
        )
        assert told == [{"data": {}, "actor_name": "erase_person"}]

    def test_leaves_other_people_alone(self, house: House) -> None:
        lived(house)
        other = house.order()

        erase(house)

        page = house.client("cs_agent").post(
            reverse("console:order_contact", args=[other["number"]])
        )
        assert "Ada Buyer" in page.content.decode()

    def test_lets_the_person_come_again(self, house: House) -> None:
        lived(house)
        erase(house)

        again = bought(house, "C-again")

        assert orders.services.footprint_of(house.network.account.pk, emails=[EMAIL]).order_ids == (
            again,
        )


class TestRefusing:
    def test_waits_for_orders_that_are_at_work(self, house: House) -> None:
        bought(house)

        with pytest.raises(CommandError, match="still at work: SY-"):
            erase(house)

        assert EMAIL in readable()

    def test_does_not_wait_when_told_so(self, house: House) -> None:
        bought(house)

        erase(house, "--unfinished-too")

        assert EMAIL not in readable()

    def test_a_dry_run_says_what_would_go_and_changes_nothing(self, house: House) -> None:
        bought(house)

        said = erase(house, "--dry-run")

        assert "Would erase 2 contacts of 1 orders; 1 of them still at work." in said
        assert EMAIL in readable()

    def test_says_when_nobody_is_known(self, house: House) -> None:
        assert "Nothing is kept" in erase(house)

    def test_needs_an_account_that_exists(self, house: House) -> None:
        with pytest.raises(CommandError, match="no account nowhere"):
            call_command("erase_person", EMAIL, "--account", "nowhere")


def test_unused_corrections_stay_with_the_person(house: House) -> None:
    order_id = bought(house)
    group_id = house.fact(order_id)["groups"][0]["id"]

    orders.services.correct_addresses(
        [AddressCorrection(group_id, address(NEW_STREET))], at=AT, actor=ACTOR
    )

    found = orders.services.footprint_of(house.network.account.pk, emails=[EMAIL])
    assert (len(found.contact_ids), len(found.key_ids)) == (3, 1)
