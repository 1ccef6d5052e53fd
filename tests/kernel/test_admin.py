"""The console's configuration pages: scoped, audited, and closed to those who may not."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.kernel.models import Account, ApiKey, Brand, Channel, Grant, Role, User
from config.kernel.types import ALL_ACCOUNTS
from tests.factories.kernel import (
    AccountFactory,
    ApiKeyFactory,
    BrandFactory,
    ChannelFactory,
    GrantFactory,
    RoleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
MODELS = [User, Role, Grant, Account, Brand, Channel, ApiKey]


def signed_in(code: str = "", account: Account | None = None, **kwargs: Any) -> Client:
    user = UserFactory(superuser=not code, **kwargs)
    if code:
        GrantFactory(user=user, role=RoleFactory(code=code), account=account or AccountFactory())
    client = Client()
    client.force_login(user)
    return client


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:kernel_{model._meta.model_name}_{page}", args=args)


def channel_values(channel: Channel, **changed: Any) -> dict[str, Any]:
    return {
        "account": str(channel.account_id),
        "brand": str(channel.brand_id),
        "code": channel.code,
        "name": channel.name,
        "kind": channel.kind,
        "currency": channel.currency,
        "timezone": channel.timezone,
        "remorse_minutes": "0",
        "backorders": "on",
        "active": "on",
        "settings": "{}",
        **changed,
    }


class TestPages:
    @pytest.mark.parametrize("model", MODELS)
    def test_open_for_a_superuser(self, model: Any) -> None:
        channel = ChannelFactory()
        rows: dict[type[Any], Any] = {
            User: UserFactory(),
            Role: RoleFactory(),
            Grant: GrantFactory(),
            Account: channel.account,
            Brand: channel.brand,
            Channel: channel,
            ApiKey: ApiKeyFactory(),
        }
        client = signed_in()

        for page, args in (
            ("changelist", ()),
            ("add", ()),
            ("change", (rows[model].pk,)),
            ("history", (rows[model].pk,)),
        ):
            assert client.get(address(model, page, *args)).status_code == 200, page

    @pytest.mark.parametrize("code", ["cs_agent", "node_operator", "integrator"])
    def test_are_closed_to_other_roles(self, code: str) -> None:
        client = signed_in(code)

        for model in MODELS:
            assert client.get(address(model, "changelist")).status_code == 403

    def test_let_an_auditor_look_only(self) -> None:
        channel = ChannelFactory()
        client = signed_in("auditor", channel.account)

        assert client.get(address(Channel, "changelist")).status_code == 200
        page = client.get(address(Channel, "change", channel.pk))
        assert page.status_code == 200
        assert b'name="_save"' not in page.content
        assert client.get(address(Channel, "add")).status_code == 403
        posted = client.post(address(Channel, "change", channel.pk), channel_values(channel))
        assert posted.status_code == 403

    def test_keep_access_from_an_ops_manager(self) -> None:
        client = signed_in("ops_manager")

        for model in (User, Role, Grant, ApiKey):
            assert client.get(address(model, "add")).status_code == 403

    def test_show_only_the_accounts_of_the_user(self) -> None:
        ours, theirs = ChannelFactory(name="Our shop"), ChannelFactory(name="Their shop")
        client = signed_in("ops_manager", ours.account)

        page = client.get(address(Channel, "changelist")).content
        assert b"Our shop" in page
        assert b"Their shop" not in page
        assert theirs.brand.name.encode() not in page
        assert client.get(address(Channel, "change", theirs.pk)).status_code == 302
        form = client.get(address(Channel, "change", ours.pk)).content
        assert str(theirs.brand_id).encode() not in form


class TestSaving:
    def test_leaves_who_and_why(self) -> None:
        channel = ChannelFactory()
        client = signed_in("ops_manager", channel.account, username="olga")

        answer = client.post(
            address(Channel, "change", channel.pk),
            channel_values(channel, name="Renamed", change_reason="New brand name"),
        )
        assert answer.status_code == 302
        channel.refresh_from_db()
        row = channel.history.get()
        assert channel.name == row.name == "Renamed"
        assert (row.actor_kind, row.actor_name) == ("user", "olga")
        assert (row.history_type, row.history_change_reason) == ("~", "New brand name")
        assert row.correlation_id == answer.headers["X-Request-ID"]

    def test_creates_with_history(self) -> None:
        brand = BrandFactory()
        client = signed_in("ops_manager", brand.account)
        draft = ChannelFactory.build(account=brand.account, brand=brand, code="new")

        assert client.post(address(Channel, "add"), channel_values(draft)).status_code == 302
        made = Channel.objects.for_scope(ALL_ACCOUNTS).get(code="new")
        assert made.history.get().history_type == "+"

    def test_says_when_a_code_is_taken(self) -> None:
        channel = ChannelFactory()
        client = signed_in("ops_manager", channel.account)

        answer = client.post(address(Channel, "add"), channel_values(channel, name="Another"))
        assert answer.status_code == 200
        assert b"already exists" in answer.content or b"is violated" in answer.content

    def test_cannot_move_a_row_into_another_account(self) -> None:
        channel, theirs = ChannelFactory(), BrandFactory()
        client = signed_in("ops_manager", channel.account)

        answer = client.post(
            address(Channel, "change", channel.pk),
            channel_values(channel, account=str(theirs.account_id), brand=str(theirs.pk)),
        )
        assert answer.status_code == 200
        channel.refresh_from_db()
        assert channel.brand_id != theirs.pk


class TestDeleting:
    def test_leaves_the_last_row_in_the_history(self) -> None:
        channel = ChannelFactory()
        client = signed_in("ops_manager", channel.account)

        client.post(address(Channel, "delete", channel.pk), {"post": "yes"})
        assert not Channel.objects.for_scope(ALL_ACCOUNTS).exists()
        row = Channel.history.get()
        assert (row.id, row.history_type) == (channel.pk, "-")

    def test_of_several_does_so_too(self) -> None:
        account = AccountFactory()
        channels = [ChannelFactory(account=account) for _ in range(3)]
        client = signed_in("ops_manager", account)

        client.post(
            address(Channel, "changelist"),
            {
                "action": "delete_selected",
                "_selected_action": [str(channel.pk) for channel in channels],
                "post": "yes",
            },
        )
        assert not Channel.objects.for_scope(ALL_ACCOUNTS).exists()
        assert Channel.history.count() == 3


class TestApiKeys:
    def test_are_shown_once_when_issued(self) -> None:
        account = AccountFactory()
        client = signed_in()

        answer = client.post(
            address(ApiKey, "add"),
            {
                "account": str(account.pk),
                "name": "Web shop",
                "scopes": ["api.orders.write"],
                "requests_per_minute": "600",
            },
            follow=True,
        )
        key = ApiKey.objects.for_scope(ALL_ACCOUNTS).get()
        shown = [str(message) for message in answer.context["messages"]]
        assert any(f"sy_{key.prefix}_" in message for message in shown)
        assert f"sy_{key.prefix}_" not in client.get(address(ApiKey, "changelist")).content.decode()
        assert (key.scopes, key.requests_per_minute) == (["api.orders.write"], 600)
        assert key.history.get().history_change_reason == "issued"

    def test_are_revoked_not_deleted(self) -> None:
        key, client = ApiKeyFactory(), signed_in()

        assert client.post(address(ApiKey, "delete", key.pk), {"post": "yes"}).status_code == 403
        client.post(
            address(ApiKey, "changelist"), {"action": "revoke", "_selected_action": [str(key.pk)]}
        )
        key.refresh_from_db()
        assert key.revoked_at is not None


class TestRoles:
    def test_are_edited_as_tick_boxes(self) -> None:
        role, client = RoleFactory(code="cs_agent"), signed_in()

        client.post(
            address(Role, "change", role.pk),
            {
                "code": "cs_agent",
                "name": "Care",
                "permissions": ["orders.view", "orders.note"],
                "change_reason": "",
            },
        )
        role.refresh_from_db()
        assert (role.name, role.permissions) == ("Care", ["orders.note", "orders.view"])


class TestUsers:
    def test_are_made_with_a_password_and_no_rights(self) -> None:
        client = signed_in()
        answer = client.post(
            address(User, "add"),
            {
                "username": "anna",
                "usable_password": "true",
                "password1": "a long enough phrase",
                "password2": "a long enough phrase",
            },
        )
        assert answer.status_code == 302
        anna = User.objects.get(username="anna")
        assert anna.check_password("a long enough phrase")
        assert not anna.is_staff
        assert not anna.is_superuser

    def test_cannot_be_made_superusers_here(self) -> None:
        anna, client = UserFactory(username="anna"), signed_in()
        client.post(
            address(User, "change", anna.pk),
            {"username": "anna", "is_active": "on", "is_superuser": "on", "is_staff": "on"},
        )

        anna.refresh_from_db()
        assert not anna.is_superuser
