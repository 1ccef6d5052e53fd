"""The mail port against a real SMTP server: sent once, whatever becomes of the connection."""

from collections.abc import Iterator

import httpx
import pytest
from django.db import connection

from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import connections
from integrations.buyer import services
from integrations.buyer.selectors import ReadMessage, messages_of
from integrations.models import Connection
from integrations.sandbox.mailbox import Mailbox, build
from integrations.sandbox.panel import Failure
from orders import sourcing
from orders.models import Order
from orders.services import erase_people
from orders.types import Party
from tests.factories.buyers import told
from tests.factories.kernel import NOON
from tests.factories.orders import NearestStock, Shop, line, shop

BEN = Actor.system("ben")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with build().running() as running:
        assert isinstance(running, Mailbox)
        yield running


@pytest.fixture
def web(db: None) -> Iterator[Shop]:
    with sourcing.using(NearestStock()):
        yield shop()
    connections.forget()


def a_mail_server(web: Shop, mailbox: Mailbox, **settings: object) -> Connection:
    made: Connection = Connection.objects.create(
        account=web.account,
        kind="mail",
        code="mail",
        adapter="smtp",
        name="Mail",
        base_url=mailbox.url,
        settings={"host": "127.0.0.1", "port": mailbox.smtp_port, **settings},
        changed_at=NOON,
        state="live",
    )
    return made


def confirmed(web: Shop, **details: object) -> Order:
    order = web.captured(line(web.sku(5, name="Blue mug"), 2), **details)
    services.write_messages([told("order.captured", order)], at=NOON, actor=BEN)
    return order


def run() -> None:
    """Carry out what is due, without waiting for the back-off."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_intent SET due_at = clock_timestamp()")
    intents.run_due(at=NOON)


def fail(mailbox: Mailbox, *kinds: str) -> None:
    mailbox.panel.set([Failure.read({"kind": kind, "share": 1.0}) for kind in kinds])


def came(mailbox: Mailbox) -> list[dict[str, object]]:
    return list(mailbox.store["messages"].values())


def letter(order: Order) -> ReadMessage:
    [only] = messages_of(order.pk, ALL_ACCOUNTS)
    return only


def test_the_letter_arrives_in_plain_and_html_as_it_is_kept(web: Shop, mailbox: Mailbox) -> None:
    a_mail_server(web, mailbox)
    order = confirmed(web)

    run()

    [mail] = came(mailbox)
    kept = letter(order)
    assert (mail["subject"], mail["to"]) == (kept.subject, [kept.to])
    assert "2 × Blue mug" in str(mail["text"])
    assert "Blue mug" in str(mail["html"])
    assert kept.state == "sent"


def test_a_server_that_cannot_be_reached_is_tried_again(web: Shop, mailbox: Mailbox) -> None:
    server = a_mail_server(web, mailbox, port=9)
    order = confirmed(web)
    run()
    assert letter(order).state == "waiting"
    server.settings = {**server.settings, "port": mailbox.smtp_port}
    server.save()

    run()

    assert (letter(order).state, len(came(mailbox))) == ("sent", 1)


def test_a_refusal_for_now_is_tried_again(web: Shop, mailbox: Mailbox) -> None:
    a_mail_server(web, mailbox)
    order = confirmed(web)
    fail(mailbox, "server_error")
    run()
    assert (letter(order).state, came(mailbox)) == ("waiting", [])
    mailbox.panel.set([])

    run()

    assert letter(order).state == "sent"


def test_an_address_that_is_none_is_not_tried_again(web: Shop, mailbox: Mailbox) -> None:
    a_mail_server(web, mailbox)
    order = confirmed(web, customer=Party(name="Nobody", email="nobody@example.com"))

    run()

    assert (letter(order).state, letter(order).can_send_again) == ("failed", True)


def test_a_connection_lost_after_the_message_is_asked_about_and_not_sent_twice(
    web: Shop, mailbox: Mailbox
) -> None:
    a_mail_server(web, mailbox, lookup_path="/messages")
    order = confirmed(web)
    fail(mailbox, "silence")
    run()
    assert letter(order).state == "waiting"
    mailbox.panel.set([])

    run()

    assert letter(order).state == "sent"
    assert [mail["copies"] for mail in came(mailbox)] == [1]


def test_a_server_that_cannot_be_asked_leaves_it_as_perhaps_sent(
    web: Shop, mailbox: Mailbox
) -> None:
    a_mail_server(web, mailbox)
    order = confirmed(web)
    fail(mailbox, "silence")
    run()
    mailbox.panel.set([])

    run()

    assert letter(order).state == "unconfirmed"
    assert [mail["copies"] for mail in came(mailbox)] == [1]


def test_a_person_may_send_it_again(web: Shop, mailbox: Mailbox) -> None:
    a_mail_server(web, mailbox)
    order = confirmed(web)
    fail(mailbox, "silence")
    run()
    mailbox.panel.set([])
    run()

    [outcome] = services.send_again([letter(order).id], at=NOON, actor=BEN)
    run()

    assert outcome.ok
    assert (letter(order).state, len(came(mailbox))) == ("sent", 2)


def test_what_was_sent_is_not_sent_again(web: Shop, mailbox: Mailbox) -> None:
    a_mail_server(web, mailbox)
    order = confirmed(web)
    run()

    [outcome] = services.send_again([letter(order).id], at=NOON, actor=BEN)

    assert not outcome.ok


def test_a_connection_that_is_not_live_sends_nothing(web: Shop, mailbox: Mailbox) -> None:
    server = a_mail_server(web, mailbox)
    Connection.objects.for_scope(ALL_ACCOUNTS).filter(pk=server.pk).update(state="paused")
    order = confirmed(web)

    run()

    assert (letter(order).state, came(mailbox)) == ("waiting", [])


def test_nobody_writes_to_a_person_who_was_erased_meanwhile(web: Shop, mailbox: Mailbox) -> None:
    a_mail_server(web, mailbox)
    order = confirmed(web)
    erase_people(web.account.pk, emails=[letter(order).to], unfinished_too=True, at=NOON, actor=BEN)

    run()

    assert (letter(order).state, letter(order).reason) == ("silent", services.ERASED)
    assert came(mailbox) == []


def test_the_mailbox_shows_what_it_took(web: Shop, mailbox: Mailbox) -> None:

    a_mail_server(web, mailbox)
    order = confirmed(web)
    run()

    shown = httpx.get(f"{mailbox.url}/messages", params={"to": letter(order).to}).json()

    assert [mail["subject"] for mail in shown["messages"]] == [letter(order).subject]
