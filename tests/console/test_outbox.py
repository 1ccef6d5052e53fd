"""What goes out: questions that are asked again, events owed, webhooks sent again."""

import pytest
from django.urls import reverse

from config.kernel.models import Delivery, Event, Intent
from integrations.models import WebhookDelivery
from integrations.webhooks_out import deliveries, selectors
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.factories.kernel import AccountFactory, IntentFactory
from tests.factories.webhooks import an_endpoint

pytestmark = pytest.mark.django_db


class TestQuestions:
    def test_are_found_by_order_state_and_key_and_asked_again(self, house: House) -> None:
        order = house.order()
        account = house.network.account
        dead = IntentFactory(
            account=account, state="dead", kind="channel.acknowledge", key="a:1",
            subject_kind="order", subject_id=order["id"], last_error="No answer for 75 hours.",
            payload={"hash": "abc"},
        )  # fmt: skip
        other = IntentFactory(account=account, kind="payment.capture", key="a:2")
        IntentFactory(account=AccountFactory(), state="dead", key="elsewhere")
        client = house.client("integrator")
        address = reverse("console:outbox")
        page = text_of(client.get(address, {"state": "dead"}))
        assert "a:1" in page
        assert "elsewhere" not in page
        assert "a:2" in text_of(client.get(address))
        found = text_of(client.get(address, {"q": order["number"]}))
        assert "a:1" in found
        assert "a:2" not in found
        one = text_of(client.get(reverse("console:intent", args=[dead.pk])))
        assert "No answer for 75 hours." in one
        said = client.post(reverse("console:revive"), {"id": [str(dead.pk)]}, follow=True)
        assert "1 asked again." in text_of(said)
        assert Intent.objects.for_scope(ACTOR.scope).get(pk=dead.pk).state == "unknown"
        assert Intent.objects.for_scope(ACTOR.scope).get(pk=other.pk).state == "pending"


class TestDeliveries:
    def test_that_are_dead_are_found_and_replayed(self, house: House) -> None:
        order = house.order()
        event = Event.objects.for_scope(ACTOR.scope).filter(thread_id=order["id"]).first()
        assert event is not None
        Delivery.objects.create(
            event_id=event.pk, consumer="orders.somebody", topic=event.topic,
            subject_id=event.subject_id, seq=1, shard=1, state="dead", last_error="ValueError",
        )  # fmt: skip
        client = house.client("integrator")
        page = text_of(
            client.get(reverse("console:deliveries"), {"state": "dead", "q": order["number"]})
        )
        assert "orders.somebody" in page
        assert "ValueError" in page
        client.post(
            reverse("console:replay_deliveries"), {"delivery": [f"{event.pk}|orders.somebody"]}
        )
        assert Delivery.objects.get(consumer="orders.somebody").state == "pending"


class TestWebhooks:
    def test_are_listed_by_endpoint_opened_and_sent_again(self, house: House) -> None:
        endpoint = an_endpoint(account=house.network.account, name="Our ERP")
        ping = deliveries.ping(endpoint.pk, at=AT, actor=ACTOR)
        row = WebhookDelivery.objects.for_scope(ACTOR.scope).get(pk=ping)
        row.fail(reason="it answered 500")
        row.save()
        client = house.client("ops_manager")
        assert "Our ERP" in text_of(client.get(reverse("console:webhooks")))
        address = reverse("console:webhook_endpoint", args=[endpoint.pk])
        assert "it answered 500" in text_of(client.get(address))
        assert "Nothing was sent" not in text_of(client.get(address, {"state": "failed"}))
        assert "Not tried yet" in text_of(client.get(reverse("console:webhook", args=[ping])))
        replay = reverse("console:webhook_replay", args=[endpoint.pk])
        said = client.post(replay, {"id": [str(ping)]}, follow=True)
        assert "1 sent again." in text_of(said)
        act = reverse("console:webhook_act", args=[endpoint.pk])
        channel = house.network.channel
        client.post(act, {"act": "limit", "channel": [str(channel.pk)]})
        assert selectors.endpoint_now(endpoint.pk).channel_ids == [channel.pk]
        assert f'value="{channel.pk}" checked' in client.get(address).content.decode()
        client.post(act, {"act": "off"})
        assert "Switch on" in text_of(client.get(address))
