"""Channels and other connections: how each is, and replay, repair, switching and secrets."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.kernel.models import Event, Job
from integrations import connections
from integrations.models import ChannelCopy, CopyKind, InboxMessage
from integrations.services import keep_messages
from integrations.services.keep import Incoming
from integrations.types import ConnectionRef
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.factories.integrations import a_connection

pytestmark = pytest.mark.django_db


def shop(house: House, **details: object) -> ConnectionRef:
    return a_connection(house.network.channel, live=True, name="Web shop", **details)


def message(ref: ConnectionRef, external_id: str, body: bytes = b"{}") -> UUID:
    """A message that came over the connection and is dead."""
    one = Incoming.of(
        ref, external_id=external_id, kind="orders/create", headers={"X-Topic": "a"}, raw=body
    )
    [kept] = keep_messages([one], at=AT, actor=ACTOR)
    found = InboxMessage.objects.for_scope(ACTOR.scope).get(pk=kept.id)
    found.bury(code="unknown", reason="The order has no line.", at=AT)
    found.save()
    return found.pk


def different(house: House, ref: ConnectionRef, order_id: UUID) -> ChannelCopy:
    """A copy of the order that the shop would not have."""
    return ChannelCopy.objects.create(
        account_id=ref.account_id,
        connection_id=ref.id,
        kind=CopyKind.ACKNOWLEDGEMENT,
        our_id=order_id,
        order_id=order_id,
        state="refused",
        failure="It has no such order.",
        wanted={"number": "1"},
        wanted_hash="1",
        wanted_at=AT,
    )


class TestTheList:
    def test_says_in_words_how_each_is(
        self, house: House, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        ref = shop(house, expected_every=120)
        message(ref, "m-1")
        different(house, ref, house.order()["id"])
        client = house.client("ops_manager")
        with django_assert_max_num_queries(10):
            page = text_of(client.get(reverse("console:channels")))
        assert "Silent: last news 5 min ago, expected every 2 min." in page
        assert "Died of them 100 %" in page
        assert "Differ there 1" in page
        connections.heard([ref.id], at=AT + timedelta(minutes=4))
        assert "Live; last news 1 min ago" in text_of(client.get(reverse("console:channels")))


class TestAConnection:
    def test_shows_its_messages_and_finds_one_by_their_id(
        self, house: House, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        ref = shop(house)
        for number in range(3):
            message(ref, f"m-{number}")
        client = house.client("integrator")
        address = reverse("console:connection", args=[ref.id])
        with django_assert_max_num_queries(13):
            page = text_of(client.get(address))
        assert "The order has no line." in page
        found = text_of(client.get(address, {"q": "m-1"}))
        assert "m-1" in found
        assert "m-2" not in found
        nothing = text_of(client.get(address, {"q": "m-9"}))
        assert "If they sent it, it never came" in nothing

    def test_tries_again_one_message_and_all_dead_since(self, house: House) -> None:
        ref = shop(house)
        ids = [message(ref, f"m-{number}") for number in range(3)]
        client = house.client("integrator")
        address = reverse("console:connection_replay", args=[ref.id])
        one = text_of(client.post(address, {"id": [str(ids[0])]}, follow=True))
        assert "Not done" in one
        since = (AT - timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M")
        every = text_of(client.post(address, {"since": since}, follow=True))
        assert "Not done" in every
        tried = InboxMessage.objects.for_scope(ACTOR.scope).filter(pk__in=ids)
        assert set(tried.values_list("attempts", flat=True)) == {1}
        later = (AT + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
        none = text_of(client.post(address, {"since": later}, follow=True))
        assert "No message has died since then." in none

    def test_sends_again_what_differs_there(self, house: House) -> None:
        ref = shop(house)
        copy = different(house, ref, house.order()["id"])
        client = house.client("ops_manager")
        page = text_of(client.get(reverse("console:connection", args=[ref.id]), {"tab": "copies"}))
        assert "It has no such order." in page
        said = client.post(
            reverse("console:connection_heal", args=[ref.id]), {"all": "1"}, follow=True
        )
        assert "Sent again: 1 copy." in text_of(said)
        copy.refresh_from_db()
        assert copy.state == "waiting"

    def test_is_compared_at_a_word_once_at_a_time_and_says_how_far_it_is(
        self, house: House
    ) -> None:
        ref = shop(house)
        client = house.client("ops_manager")
        address = reverse("console:connection_compare", args=[ref.id])
        said = text_of(client.post(address, follow=True))
        assert "0 of 1 read: a worker begins at once" in said
        assert "is being compared already" in text_of(client.post(address, follow=True))
        jobs = Job.objects.for_scope(ACTOR.scope).filter(kind="channels.compare")
        assert jobs.count() == 1
        jobs.update(state="partial", done=0, refused=1)
        page = text_of(client.get(reverse("console:connection", args=[ref.id])))
        assert "1 of 1 read: 0 as they should be , 1 not" in page

    def test_is_switched_and_its_secret_rotated_without_loss(self, house: House) -> None:
        ref = shop(house)
        client = house.client("integrator")
        client.post(reverse("console:connection_switch", args=[ref.id]), {"to": "paused"})
        assert connections.by_id(ref.id).state == "paused"
        address = reverse("console:connection_secret", args=[ref.id])
        before = connections.secrets(ref)["webhook_secret"]
        page = client.post(address, {"secret": "a-new-secret-of-theirs"}, follow=True)
        assert "both secrets count" in text_of(page)
        assert set(connections.secrets(ref).values()) == {before, "a-new-secret-of-theirs"}
        client.post(address, {"end": "1"})
        assert set(connections.secrets(ref).values()) == {"a-new-secret-of-theirs"}

    def test_of_another_account_is_behind_the_wall(self, house: House) -> None:
        from tests.factories.kernel import ChannelFactory

        elsewhere = a_connection(ChannelFactory())
        client = house.client("ops_manager")
        assert client.get(reverse("console:connection", args=[elsewhere.id])).status_code == 404
        switched = client.post(
            reverse("console:connection_switch", args=[elsewhere.id]), {"to": "live"}
        )
        assert switched.status_code == 404


class TestAMessage:
    def test_is_opened_by_those_who_may_see_contacts(self, house: House) -> None:
        ref = shop(house)
        order = house.order()
        found = message(ref, "m-1", b'{"name": "Ada Buyer"}')
        InboxMessage.objects.for_scope(ACTOR.scope).filter(pk=found).update(thread_id=order["id"])
        address = reverse("console:inbox_message", args=[found])
        reader = house.client("integrator")
        closed = text_of(reader.get(address))
        assert "The order has no line." in closed
        assert "Ada Buyer" not in closed
        body = reverse("console:inbox_body", args=[found])
        assert reader.post(body).status_code == 403
        manager = house.client("ops_manager")
        opened = text_of(manager.post(body))
        assert "Ada Buyer" in opened
        page = text_of(manager.get(reverse("console:order", args=[order["number"]])))
        assert "Contact looked at" in page

    def test_of_no_known_order_keeps_who_has_read_it_too(self, house: House) -> None:
        found = message(shop(house), "m-2", b'{"name": "Bo Buyer"}')
        client = house.client("ops_manager")

        assert "Bo Buyer" in text_of(client.post(reverse("console:inbox_body", args=[found])))

        page = text_of(client.get(reverse("console:inbox_message", args=[found])))
        assert "Who has read it" in page
        assert "Bo Buyer" not in page
        (event,) = Event.objects.for_scope(ACTOR.scope).filter(topic="message.opened")
        assert (event.subject_id, event.actor_kind) == (found, "user")
