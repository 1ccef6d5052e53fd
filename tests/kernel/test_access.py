"""Permissions: what roles hold, where grants reach, what Django's own questions get."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from config.kernel import access, ids
from config.kernel.access import ROLE_PERMISSIONS, KeyHolder, Permission
from config.kernel.errors import Forbidden
from config.kernel.models import Role, User
from config.kernel.services.access import issue_api_key, revoke_api_key, sync_roles
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Scope
from inventory.models import NodeGrant
from tests.factories.inventory import NodeFactory
from tests.factories.kernel import (
    AccountFactory,
    ApiKeyFactory,
    GrantFactory,
    RoleFactory,
    UserFactory,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SYSTEM = Actor.system("tests")


def granted(code: str, **kwargs: Any) -> User:
    user: User = GrantFactory(role=RoleFactory(code=code), **kwargs).user
    return user


class TestRoles:
    def test_give_nobody_the_power_to_give_power(self) -> None:
        for kind in ROLE_PERMISSIONS.values():
            assert Permission.ACCESS_EDIT not in kind.permissions

    def test_let_an_auditor_see_and_change_nothing(self) -> None:
        held = ROLE_PERMISSIONS["auditor"].permissions

        assert all(code.endswith(".view") for code in held)
        assert Permission.ORDERS_VIEW_CONTACT not in held

    def test_keep_personal_data_from_node_operators_and_integrators(self) -> None:
        for code in ("node_operator", "integrator"):
            assert Permission.ORDERS_VIEW_CONTACT not in ROLE_PERMISSIONS[code].permissions

    def test_leave_the_api_to_keys(self) -> None:
        for kind in ROLE_PERMISSIONS.values():
            assert not any(code.startswith("api.") for code in kind.permissions)


@pytest.mark.django_db
class TestSyncRoles:
    def test_creates_what_is_missing_and_keeps_what_was_edited(self) -> None:
        RoleFactory(code="cs_agent", permissions=["orders.view"])

        roles = {role.code: role for role in sync_roles(at=NOON, actor=SYSTEM)}
        sync_roles(at=NOON, actor=SYSTEM)

        assert set(roles) == set(ROLE_PERMISSIONS)
        assert roles["cs_agent"].permissions == ["orders.view"]
        assert Role.history.count() == len(ROLE_PERMISSIONS) - 1

    def test_adds_what_is_new_and_keeps_what_was_taken_and_given_by_hand(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sync_roles(at=NOON, actor=SYSTEM)
        kind = ROLE_PERMISSIONS["cs_agent"]
        taken, given = Permission.ORDERS_CANCEL, Permission.AUDIT_VIEW
        by_hand = [code for code in kind.permissions if code != taken] + [given]
        Role.objects.filter(code="cs_agent").update(permissions=by_hand)
        more = replace(kind, permissions=kind.permissions | {Permission.ORDERS_EXPORT})
        monkeypatch.setitem(ROLE_PERMISSIONS, "cs_agent", more)

        sync_roles(at=NOON, actor=SYSTEM)
        sync_roles(at=NOON, actor=SYSTEM)

        role = Role.objects.get(code="cs_agent")
        assert set(role.permissions) == {*by_hand, Permission.ORDERS_EXPORT}
        assert role.history.count() == 2


@pytest.mark.django_db
class TestPermissionsOf:
    def test_are_the_union_of_grants_and_end_at_the_account(self) -> None:
        user = granted("cs_agent")
        account = user.grants.get().account
        other = GrantFactory(user=user, role=RoleFactory(code="node_operator")).account

        held = access.permissions_of(User.objects.get(pk=user.pk))
        assert {"orders.cancel", "fulfillment.work"} <= held
        assert "fulfillment.work" not in access.permissions_of(user, account.pk)
        assert "orders.cancel" not in access.permissions_of(user, other.pk)

    def test_cost_one_statement_per_request(self, django_assert_num_queries: Any) -> None:
        user = User.objects.get(pk=granted("auditor").pk)

        with django_assert_num_queries(1):
            for _ in range(5):
                access.permissions_of(user)
                access.scope_of(user)
                access.nodes_of(user)

    def test_are_all_for_a_superuser_and_none_for_the_inactive(self) -> None:
        assert access.permissions_of(UserFactory(superuser=True)) == set(Permission.values)
        assert not access.permissions_of(UserFactory(superuser=True, is_active=False))
        assert not access.permissions_of(UserFactory())
        assert not access.permissions_of(AnonymousUser())

    def test_of_a_key_are_its_scopes_within_its_account(self) -> None:
        key = ApiKeyFactory(scopes=["api.orders.read"])
        holder = KeyHolder.of(key)

        assert access.permissions_of(holder) == {"api.orders.read"}
        assert access.permissions_of(holder, key.account_id) == {"api.orders.read"}
        assert not access.permissions_of(holder, ids.uuid7())

    def test_of_an_actor_are_those_of_who_stands_behind_it(self) -> None:
        user, key = granted("auditor"), ApiKeyFactory(scopes=["api.orders.read"])

        def actor(kind: ActorKind, of: Any) -> Actor:
            return Actor(kind, str(of.pk), "x", ALL_ACCOUNTS)

        assert "audit.view" in access.permissions_of(actor(ActorKind.USER, user))
        assert access.permissions_of(actor(ActorKind.API_KEY, key)) == {"api.orders.read"}
        assert access.permissions_of(SYSTEM) == set(Permission.values)
        assert not access.permissions_of(Actor(ActorKind.BUYER, "x", "x", ALL_ACCOUNTS))


@pytest.mark.django_db
class TestRequire:
    def test_refuses_with_the_permission_in_words(self) -> None:
        with pytest.raises(Forbidden, match="Cancel orders") as refusal:
            access.require(granted("auditor"), "orders.cancel")

        assert refusal.value.extra == {"permission": "orders.cancel"}

    def test_lets_pass_who_holds_it_and_nobody_else(self) -> None:
        user = granted("cs_agent")

        def passes(permission: str) -> bool:
            try:
                access.require(user, permission)
            except Forbidden:
                return False
            return True

        passed = {permission for permission in Permission.values if passes(permission)}
        assert passed == access.permissions_of(user)
        assert {"orders.cancel"} <= passed < set(Permission.values)


@pytest.mark.django_db
class TestReach:
    def test_is_the_accounts_of_the_grants(self) -> None:
        user = granted("cs_agent")
        account = user.grants.get().account

        assert access.scope_of(user) == Scope(frozenset({account.pk}))
        assert access.scope_of(user, "network.pause") == Scope(frozenset())
        assert access.scope_of(UserFactory(superuser=True)) == ALL_ACCOUNTS
        assert access.scope_of(AnonymousUser()) == Scope(frozenset())

    def test_is_narrowed_to_nodes_unless_one_grant_of_the_account_has_all(self) -> None:
        user = granted("node_operator", node_id=4)
        account = user.grants.get().account
        GrantFactory(user=user, role=RoleFactory(code="node_operator"), account=account, node_id=5)
        assert access.nodes_of(user) == {4, 5}

        GrantFactory(user=user, role=RoleFactory(code="auditor"), account=account)
        user = User.objects.get(pk=user.pk)
        assert access.nodes_of(user) is None
        assert access.nodes_of(user, "fulfillment.work") == {4, 5}

    def test_of_a_permission_is_the_accounts_where_it_is_held(self) -> None:
        user = granted("ops_manager")
        ours = user.grants.get().account
        theirs = GrantFactory(user=user, role=RoleFactory(code="auditor")).account

        assert access.scope_of(user, "orders.cancel") == Scope(frozenset({ours.pk}))
        assert access.scope_of(user, "orders.view").account_ids == {ours.pk, theirs.pk}
        assert access.scope_of(user, "orders.cancel", "audit.view").account_ids == {
            ours.pk,
            theirs.pk,
        }


@pytest.mark.django_db
class TestNodesOfSeveralAccounts:
    """One account lets its operator see one node, another its auditor all."""

    def test_are_the_one_and_all_of_the_other(self) -> None:
        ours, theirs = AccountFactory(), AccountFactory()
        mine, other = NodeFactory(account=ours), NodeFactory(account=ours)
        third = NodeFactory(account=theirs)
        user = granted("node_operator", account=ours, node_id=mine.pk)
        GrantFactory(user=user, role=RoleFactory(code="auditor"), account=theirs)

        reached = access.nodes_of(user, "fulfillment.view")

        assert reached == {mine.pk, third.pk}
        assert other.pk not in reached

    def test_leave_out_a_shared_node_that_one_of_them_keeps_closed(self) -> None:
        ours, theirs = AccountFactory(), AccountFactory()
        mine, shared = NodeFactory(account=ours), NodeFactory(account=ours)
        NodeGrant.objects.create(node=shared, account=theirs)
        user = granted("node_operator", account=ours, node_id=mine.pk)
        GrantFactory(user=user, role=RoleFactory(code="auditor"), account=theirs)

        assert access.nodes_of(user, "fulfillment.view") == {mine.pk}


@pytest.mark.django_db
class TestDjangosQuestions:
    @pytest.mark.parametrize(
        ("code", "sees", "changes"),
        [
            ("ops_manager", True, True),
            ("auditor", True, False),
            ("cs_agent", False, False),
            ("node_operator", False, False),
            ("integrator", False, False),
        ],
    )
    def test_about_configuration(self, code: str, sees: bool, changes: bool) -> None:  # noqa: FBT001
        user = granted(code)

        assert user.has_perm("kernel.view_channel") is sees
        assert user.has_module_perms("kernel") is sees
        for action in ("add", "change", "delete"):
            assert user.has_perm(f"kernel.{action}_channel") is changes

    def test_about_access_are_no_for_an_ops_manager(self) -> None:
        user = granted("ops_manager")

        for model in ("user", "role", "grant", "apikey"):
            assert user.has_perm(f"kernel.view_{model}")
            assert not user.has_perm(f"kernel.change_{model}")

    def test_about_our_own_codes(self) -> None:
        assert granted("cs_agent").has_perm("orders.cancel")
        assert not granted("auditor").has_perm("orders.cancel")
        assert not granted("auditor").has_perm("orders.fly")


@pytest.mark.django_db
class TestApiKeys:
    def test_are_issued_once_in_sight_and_revoked_with_history(self) -> None:
        account = AccountFactory()
        key, secret = issue_api_key(
            account_id=account.pk,
            channel_id=None,
            name="Shop",
            scopes=["api.orders.write"],
            at=NOON,
            actor=SYSTEM,
        )

        assert secret.startswith(f"sy_{key.prefix}_")
        assert secret not in str(key.__dict__)
        assert len(secret) > 50
        revoke_api_key(key.pk, at=NOON, actor=SYSTEM)
        revoke_api_key(key.pk, at=datetime(2027, 1, 1, tzinfo=UTC), actor=SYSTEM)
        key.refresh_from_db()
        assert key.revoked_at == NOON
        assert [row.history_change_reason for row in key.history.all()] == ["revoked", "issued"]

    def test_refuse_a_scope_that_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match=r"api\.fly"):
            issue_api_key(
                account_id=AccountFactory().pk,
                channel_id=None,
                name="Shop",
                scopes=["api.fly"],
                at=NOON,
                actor=SYSTEM,
            )
