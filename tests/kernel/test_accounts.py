"""Accounts, brands, channels and staff: set up by code, and twice as good as once."""

from dataclasses import replace
from typing import Any

import pytest

from config.kernel import selectors
from config.kernel.errors import NotFound
from config.kernel.models import Account, Brand, Channel, Grant, User
from config.kernel.services import access, accounts
from config.kernel.services.accounts import ChannelDraft, StaffDraft
from config.kernel.types import Actor
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db

BY: dict[str, Any] = {"at": NOON, "actor": Actor.system("tests")}
WEB = ChannelDraft("web", "Web shop", "web", "pine", "USD", remorse_minutes=15)
NORA = StaffDraft("nora", "Nora Node", "first password", "node_operator", node_id=7)


def defined(name: str = "Pine & Sons") -> Account:
    key = accounts.define_account("pine", name, currency="USD", timezone="UTC", **BY)
    return Account.objects.get(pk=key)


class TestDefineAccount:
    def test_creates_it_with_history(self):
        account = defined()

        assert (account.code, account.name, account.currency) == ("pine", "Pine & Sons", "USD")
        assert account.history.get().actor_name == "tests"

    def test_updates_it_by_code(self):
        first = defined()

        again = defined("Pine & Daughters")

        assert (again.pk, again.name) == (first.pk, "Pine & Daughters")
        assert [row.history_type for row in again.history.order_by("history_id")] == ["+", "~"]


class TestDefineBrands:
    def test_creates_and_renames_by_code(self):
        account = defined()
        first = accounts.define_brands([("pine", "Pine")], account_id=account.pk, **BY)

        again = accounts.define_brands(
            [("pine", "Pine!"), ("oak", "Oak")], account_id=account.pk, **BY
        )

        assert again == first | {"oak": again["oak"]}
        assert Brand._base_manager.get(pk=again["pine"]).name == "Pine!"
        assert selectors.brand_ids(account.pk) == again

    def test_keeps_out_of_other_accounts(self):
        mine, theirs = defined(), AccountFactory()
        accounts.define_brands([("pine", "Theirs")], account_id=theirs.pk, **BY)

        accounts.define_brands([("pine", "Mine")], account_id=mine.pk, **BY)

        assert set(Brand._base_manager.values_list("account_id", "name")) == {
            (mine.pk, "Mine"),
            (theirs.pk, "Theirs"),
        }


class TestDefineChannels:
    def channels(self, account: Account, *drafts: ChannelDraft) -> dict[str, Any]:
        brands = accounts.define_brands([("pine", "Pine")], account_id=account.pk, **BY)
        return accounts.define_channels(drafts, account_id=account.pk, brand_ids=brands, **BY)

    def test_creates_and_updates_by_code(self):
        account = defined()
        first = self.channels(account, WEB)

        again = self.channels(account, replace(WEB, remorse_minutes=30, backorders=False))

        channel = Channel._base_manager.get()
        assert again == first == selectors.channel_ids(account.pk)
        assert (channel.remorse_minutes, channel.backorders) == (30, False)
        assert channel.history.count() == 2


class TestDefineStaff:
    @pytest.fixture(autouse=True)
    def roles(self) -> None:
        access.sync_roles(**BY)

    def test_creates_a_person_with_a_role_at_a_node(self):
        account = defined()

        found = accounts.define_staff([NORA], account_id=account.pk, **BY)

        grant = Grant.objects.get()
        assert (grant.user_id, grant.role.code) == (found["nora"], "node_operator")
        assert (grant.account_id, grant.node_id) == (account.pk, 7)
        assert User.objects.get(username="nora").check_password("first password")

    def test_leaves_password_and_role_of_who_is_there(self):
        account = defined()
        accounts.define_staff([NORA], account_id=account.pk, **BY)

        accounts.define_staff([replace(NORA, password="second")], account_id=account.pk, **BY)

        assert User.objects.get(username="nora").check_password("first password")
        assert Grant.objects.count() == 1


class TestReads:
    def test_find_an_account_by_its_code(self):
        account = defined()

        assert selectors.account_id("pine") == account.pk

    def test_refuse_a_code_that_nobody_has(self):
        with pytest.raises(NotFound):
            selectors.account_id("nobody")

    def test_know_no_settings_of_nobody(self):
        assert selectors.settings_of("nobody") == {}


class TestKeepSetting:
    def test_sets_one_and_leaves_the_others(self):
        defined()
        accounts.keep_setting("pine", "demo", {"day": 3})

        accounts.keep_setting("pine", "theme", "dark")

        assert selectors.settings_of("pine") == {"demo": {"day": 3}, "theme": "dark"}
