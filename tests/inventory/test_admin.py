"""The pages of supply in the console's admin."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from config.kernel import versions
from inventory.models import Node, Sku, Substitute
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
            "storage": "ambient",
            "min_remaining_life_days": 0,
            "change_reason": "typo",
        }
        for inline in ("barcodes", "components", "packs"):
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


class TestSkuAdmin:
    def save(self, sku, **changed):
        inlines = {
            f"{name}-{field}": 0
            for name in ("barcodes", "components", "packs")
            for field in ("TOTAL_FORMS", "INITIAL_FORMS")
        }
        fields = {
            "account": sku.account_id, "code": sku.code, "name": sku.name, "kind": "stock",
            "price_minor": 1, "currency": "USD", "weight_grams": 1, "length_mm": 0, "width_mm": 0,
            "height_mm": 0, "attributes": "{}", "storage": "ambient", "sell_through": "on",
            "min_remaining_life_days": 0,
        }  # fmt: skip
        page = reverse("admin:inventory_sku_change", args=[sku.pk])
        answer = superuser().post(page, inlines | fields | changed)
        sku.refresh_from_db()
        return answer

    def test_what_is_dangerous_says_so_and_a_gtin_is_proven(self):
        sku = SkuFactory()
        code = {"barcodes-TOTAL_FORMS": 1, "barcodes-0-kind": "gtin", "barcodes-0-sku": sku.pk}

        wrong = self.save(sku, **code, **{"barcodes-0-value": "4006381333932"})
        right = self.save(
            sku,
            hazard_class="2.1",
            un_number="1950",
            **code,
            **{"barcodes-0-value": "4006381333931"},
        )

        assert (wrong.status_code, right.status_code) == (200, 302)
        assert "This is no GTIN" in wrong.content.decode()
        assert sku.hazmat
        assert sku.barcodes.get().gtin == "04006381333931"


def test_substitutes_are_approved_from_their_list():
    account = AccountFactory()
    sku, other = SkuFactory(account=account), SkuFactory(account=account)
    row = Substitute.objects.create(account=account, sku=sku, substitute=other)

    answer = superuser().post(
        reverse("admin:inventory_substitute_changelist"),
        {"action": "approve", "_selected_action": [str(row.pk)]},
    )

    row.refresh_from_db()
    assert (answer.status_code, row.state) == (302, "approved")
