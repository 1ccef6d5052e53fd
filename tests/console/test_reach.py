"""A permission counts in the account where it is held, on every page that acts."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from config.console import verbs
from config.kernel.models import Delivery, Event, User
from config.kernel.types import ALL_ACCOUNTS, Scope
from config.reports import operations, sql
from tests.console.conftest import House, text_of
from tests.factories.kernel import GrantFactory, IntentFactory, RoleFactory, UserFactory
from tests.factories.routing import a_network


@pytest.fixture
def there(house: House) -> House:
    """Another account, where the person below may only look."""
    network = a_network()
    network.stock("MUG", RENO=40, COLUMBUS=30, NEWARK=20)
    network.stock("LAMP", RENO=2)
    return House(network)


@pytest.fixture
def both(house: House, there: House) -> Client:
    """Operations manager of the one account, auditor of the other."""
    user = UserFactory()
    GrantFactory(user=user, account=house.network.account, role=RoleFactory(code="ops_manager"))
    GrantFactory(user=user, account=there.network.account, role=RoleFactory(code="auditor"))
    client = Client()
    client.force_login(user)
    return client


class TestOrders:
    @pytest.mark.parametrize("code", verbs.VERBS)
    def test_no_verb_reaches_where_only_reading_is_permitted(
        self, both: Client, there: House, code: str
    ) -> None:
        order = there.held()
        before = _seq(order)

        page = both.post(reverse("console:order_action", args=[order["number"], code]), _sent())

        assert page.status_code == 404
        assert _seq(order) == before

    @pytest.mark.parametrize("code", [code for code, verb in verbs.VERBS.items() if verb.bulk])
    def test_no_bulk_verb_takes_one_up(self, both: Client, there: House, code: str) -> None:
        order = there.held()
        before = _seq(order)

        both.post(reverse("console:bulk"), {"verb": code, "id": [str(order["id"])], **_sent()})

        assert _seq(order) == before

    def test_can_be_looked_at_in_both(self, both: Client, house: House, there: House) -> None:
        for order in (house.held(), there.held()):
            assert both.get(reverse("console:order", args=[order["number"]])).status_code == 200

    def test_show_contacts_only_where_that_is_permitted(
        self, both: Client, house: House, there: House
    ) -> None:
        def shown(order: sql.Row) -> int:
            address = reverse("console:order_contact", args=[order["number"]])
            return both.post(address).status_code

        assert (shown(house.held()), shown(there.held())) == (200, 404)


class TestCases:
    @pytest.mark.parametrize("code", ["cancel", "hold", "release_hold"])
    def test_a_fix_of_all_leaves_the_other_accounts_orders(
        self, both: Client, house: House, there: House, code: str
    ) -> None:
        ours, theirs = house.held(), there.held()
        number, _ = house.case(ours), there.case(theirs)
        before = _seq(theirs)

        page = both.post(reverse("console:cluster_fix", args=[number, code]), _sent(), follow=True)

        assert page.status_code == 200
        assert _seq(theirs) == before
        assert _seq(ours) > 1

    def test_are_not_worked_where_they_may_only_be_seen(self, both: Client, there: House) -> None:
        number = there.case(there.held())

        page = both.post(reverse("console:case_action", args=[number, "take"]), {})

        assert page.status_code == 404

    def test_are_not_fixed_with_the_permission_of_another_account(
        self, house: House, there: House
    ) -> None:
        """Cases may be worked in both, orders cancelled in one."""
        user = UserFactory()
        for role, where in (("cs_agent", house), ("cases_only", there)):
            permissions = {} if role == "cs_agent" else {"permissions": _CASES}
            GrantFactory(
                user=user,
                account=where.network.account,
                role=RoleFactory(code=role, **permissions),
            )
        client = Client()
        client.force_login(user)
        theirs = there.held()
        number, before = there.case(theirs), _seq(theirs)

        client.post(reverse("console:cluster_fix", args=[number, "cancel"]), _sent())

        assert _seq(theirs) == before


class TestHealth:
    def test_reports_stay_within_the_account(self, house: House, there: House) -> None:
        for each in (house, there):
            _dead(each)
            IntentFactory(account=each.network.account, kind="label.buy")
        scope = _scope(house)

        assert operations.outbox(scope=ALL_ACCOUNTS)["dead"] == 2
        assert operations.outbox(scope=scope)["dead"] == 1
        assert len(operations.dead_deliveries(scope=scope)) == 1
        assert [each["n"] for each in operations.intents(scope=scope)] == [1]

    def test_nobody_replays_the_deliveries_of_another_account(
        self, house: House, there: House
    ) -> None:
        theirs = _dead(there)

        house.client("integrator").post(
            reverse("console:replay_deliveries"), {"delivery": f"{theirs.pk}|test"}
        )

        assert Delivery.objects.get(event_id=theirs.pk).state == "dead"

    def test_the_palette_finds_no_case_of_another_node(self, house: House) -> None:
        number = house.case(house.held())

        found = house.client("node_operator").get(reverse("console:palette"), {"q": str(number)})

        assert f"Case {number}" not in text_of(found)
        assert f"Case {number}" in text_of(
            house.client("cs_agent").get(reverse("console:palette"), {"q": str(number)})
        )


class TestConfiguration:
    @pytest.mark.parametrize(
        ("role", "status"), [("ops_manager", 200), ("auditor", 200), ("node_operator", 403)]
    )
    def test_opens_for_roles_that_have_something_there(
        self, house: House, role: str, status: int
    ) -> None:
        user = house.users[role]
        user.is_staff = True
        user.save()

        assert house.client(role).get("/admin/").status_code == status

    def test_changes_nothing_of_an_account_that_may_only_be_read(
        self, both: Client, house: House, there: House
    ) -> None:
        request = _request(both)
        channels = admin.site.get_model_admin(type(house.network.channel))

        assert channels.has_change_permission(request, house.network.channel)
        assert not channels.has_change_permission(request, there.network.channel)
        assert channels.has_view_permission(request, there.network.channel)


_CASES = ["cases.view", "cases.work", "orders.view"]


def _sent() -> dict[str, str]:
    return {"type": "manual", "reason": "Because", "initiator": "merchant", "text": "A note"}


def _seq(order: sql.Row) -> int:
    found = sql.row("SELECT event_seq FROM orders_order WHERE id = %(id)s", {"id": order["id"]})
    assert found is not None
    return int(found["event_seq"])


def _scope(house: House) -> Any:
    return Scope(frozenset({house.network.account.pk}))


def _dead(house: House) -> Event:
    """A delivery of one of the account's events that was given up."""
    order = house.order()
    event = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order["id"]).latest("id")
    Delivery.objects.create(
        event_id=event.pk, consumer="test", topic=event.topic, subject_id=event.subject_id,
        seq=event.seq, shard=0, state="dead",
    )  # fmt: skip
    return event


def _request(client: Client) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(pk=client.session["_auth_user_id"])
    return request
