"""The pages of the integrations: who sees and does what."""

import pytest
from django.test import Client

from config.kernel.types import ALL_ACCOUNTS
from integrations import connections, services
from integrations.models import Connection, InboxMessage
from tests.factories.integrations import SECRET, ImportRunFactory, InboxMessageFactory, a_connection
from tests.factories.kernel import NOON, GrantFactory, RoleFactory, UserFactory
from tests.factories.routing import SYSTEM, Network, a_network
from tests.integrations.documents import shop_order
from tests.integrations.test_webhooks import incoming

pytestmark = pytest.mark.django_db


@pytest.fixture
def network() -> Network:
    network = a_network()
    network.stock("TEE-M", NEWARK=10)
    return network


def client(role: str, network: Network) -> Client:
    user = UserFactory()
    GrantFactory(user=user, role=RoleFactory(code=role), account=network.account)
    browser = Client()
    browser.force_login(user)
    return browser


def dead(network: Network) -> InboxMessage:
    """A message that was buried for a reason that has gone since."""
    [kept] = services.keep_messages([incoming(network, "m-1", shop_order())], at=NOON, actor=SYSTEM)
    message = InboxMessage.objects.for_scope(ALL_ACCOUNTS).get(pk=kept.id)
    message.bury(code="fault", reason="It could not be applied.", at=NOON)
    message.save()
    return message


class TestInbox:
    def test_shows_the_messages_of_the_account_and_no_others(self, network):
        message = dead(network)
        InboxMessageFactory(external_id="of-another-account")

        page = client("integrator", network).get("/admin/integrations/inboxmessage/")

        assert message.external_id in page.content.decode()
        assert "of-another-account" not in page.content.decode()

    def test_replays_what_is_selected(self, network):
        message = dead(network)

        client("integrator", network).post(
            "/admin/integrations/inboxmessage/",
            {"action": "replay", "_selected_action": [str(message.pk)]},
        )

        message.refresh_from_db()
        assert message.state == "applied"

    def test_lets_an_auditor_look_and_not_replay(self, network):
        message = dead(network)
        browser = client("auditor", network)

        browser.post(
            "/admin/integrations/inboxmessage/",
            {"action": "replay", "_selected_action": [str(message.pk)]},
        )

        message.refresh_from_db()
        assert message.state == "dead"
        page = browser.get(f"/admin/integrations/inboxmessage/{message.pk}/change/")
        assert "It could not be applied." in page.content.decode()

    def test_is_closed_to_customer_service(self, network):
        page = client("cs_agent", network).get("/admin/integrations/inboxmessage/")

        assert page.status_code == 403


class TestConnections:
    def test_writes_a_secret_and_never_shows_it(self, network):
        browser = client("integrator", network)

        browser.post(
            "/admin/integrations/connection/add/",
            {
                "account": network.account.pk,
                "kind": "channel",
                "code": "web",
                "adapter": "shopify",
                "name": "The web shop",
                "channel": network.channel.pk,
                "settings": "{}",
                "secrets": SECRET,
            },
        )

        connection = Connection.objects.for_scope(ALL_ACCOUNTS).get()
        page = browser.get(f"/admin/integrations/connection/{connection.pk}/change/")
        assert page.status_code == 200
        assert SECRET not in page.content.decode()
        assert connections.open_secrets(connection) == {"webhook_secret": SECRET}

    def test_replaces_what_is_entered_and_leaves_the_rest(self, network):
        ref = a_connection(network.channel, secrets={"webhook_secret": SECRET})

        client("integrator", network).post(
            f"/admin/integrations/connection/{ref.id}/change/",
            {
                "adapter": "shopify",
                "name": "Renamed",
                "channel": network.channel.pk,
                "settings": '{"rate": {"per_second": 2}}',
                "secrets": '{"access_token": "quite another secret"}',
            },
        )

        row = Connection.objects.for_scope(ALL_ACCOUNTS).get()
        assert (row.name, row.settings) == ("Renamed", {"rate": {"per_second": 2}})
        assert connections.open_secrets(row) == {
            "webhook_secret": SECRET,
            "access_token": "quite another secret",
        }

    def test_goes_live_by_an_action(self, network):
        ref = a_connection(network.channel)

        client("integrator", network).post(
            "/admin/integrations/connection/",
            {"action": "go_live", "_selected_action": [str(ref.id)]},
        )

        assert connections.by_id(ref.id).live

    def test_refuses_an_adapter_that_nobody_has(self, network):
        page = client("integrator", network).post(
            "/admin/integrations/connection/add/",
            {
                "account": network.account.pk,
                "kind": "channel",
                "code": "web",
                "adapter": "magento",
                "name": "A shop",
                "channel": network.channel.pk,
                "settings": "{}",
            },
        )

        assert "Known adapters" in page.content.decode()
        assert not Connection.objects.for_scope(ALL_ACCOUNTS).exists()

    @pytest.mark.parametrize("role", ["auditor", "cs_agent"])
    def test_may_not_be_changed_by_others(self, network, role):
        ref = a_connection(network.channel)

        page = client(role, network).post(
            f"/admin/integrations/connection/{ref.id}/change/", {"name": "Mine"}
        )

        assert page.status_code == 403


class TestImportRuns:
    def test_shows_where_lines_ended(self, network):
        run = ImportRunFactory(channel=network.channel, counts={"captured": 12})

        page = client("integrator", network).get(f"/admin/integrations/importrun/{run.pk}/change/")

        assert "12 captured" in page.content.decode()
