"""The pages of supply in the console's admin."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from config.kernel import versions
from inventory.models import Node, Sku
from tests.factories.inventory import (
    CountRequestFactory,
    InboundLineFactory,
    NodeFactory,
    SkuFactory,
    stock,
)
from tests.factories.kernel import AccountFactory, GrantFactory, UserFactory

pytestmark = pytest.mark.django_db

MODELS = [model for model in admin.site._registry if model._meta.app_label == "inventory"]


def superuser():
    client = Client()
    client.force_login(UserFactory(superuser=True))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_every_list_opens(model):
    stock(3)
    CountRequestFactory()
    InboundLineFactory()

    answer = superuser().get(reverse(f"admin:inventory_{model._meta.model_name}_changelist"))

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("stockposition", lambda: stock(3)),
        ("sku", SkuFactory),
        ("node", NodeFactory),
        ("countrequest", CountRequestFactory),
        ("inbound", lambda: InboundLineFactory().inbound),
    ],
)
def test_a_page_opens(name, make):
    row = make()

    answer = superuser().get(reverse(f"admin:inventory_{name}_change", args=[row.pk]))

    assert answer.status_code == 200


class TestNodeAdmin:
    def test_shows_a_manager_the_nodes_of_their_account(self):
        account = AccountFactory()
        user = UserFactory()
        GrantFactory(user=user, account=account)
        client = Client()
        client.force_login(user)
        own, other = NodeFactory(account=account), NodeFactory(account=AccountFactory())

        page = client.get(reverse("admin:inventory_node_changelist")).content.decode()

        assert own.code in page
        assert other.code not in page

    def test_leaves_history_with_a_reason_and_raises_the_version(self):
        sku = SkuFactory()
        before = versions.read(["skus"])["skus"]
        form = {
            "account": sku.account_id,
            "code": sku.code,
            "name": "New name",
            "kind": "stock",
            "weight_grams": 1,
            "length_mm": 0,
            "width_mm": 0,
            "height_mm": 0,
            "price_minor": 1,
            "currency": "USD",
            "attributes": "{}",
            "change_reason": "typo",
        }
        for inline in ("barcodes", "components"):
            form |= {f"{inline}-TOTAL_FORMS": 0, f"{inline}-INITIAL_FORMS": 0}

        answer = superuser().post(reverse("admin:inventory_sku_change", args=[sku.pk]), form)

        assert answer.status_code == 302, answer.context["errors"]
        assert Sku.history.get().history_change_reason == "typo"
        assert versions.read(["skus"])["skus"] == before + 1

    def test_does_not_offer_the_state_as_a_field(self):
        node = NodeFactory()

        page = superuser().get(reverse("admin:inventory_node_change", args=[node.pk]))

        assert "state" not in page.context["adminform"].form.fields
        assert Node._base_manager.get().state == "active"

    def test_moves_a_node_by_its_commands_and_says_what_is_refused(self):
        new, held = NodeFactory(state="onboarding"), NodeFactory(state="active")
        address = reverse("admin:inventory_node_changelist")
        sent = {"action": "activate", "_selected_action": [new.pk, held.pk]}

        page = superuser().post(address, sent, follow=True).content.decode()

        states = dict(Node._base_manager.values_list("pk", "state"))
        assert states == {new.pk: "active", held.pk: "active"}
        assert f"{new.code}: done." in page
        assert f"{held.code}: " in page
        assert f"{held.code}: done." not in page
