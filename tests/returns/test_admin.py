"""The configuration page of return policies: every edit is a version, and says who made it."""

import pytest
from django.test import Client

from config.kernel.types import ALL_ACCOUNTS
from returns.models import ReturnPolicy
from tests.factories.kernel import AccountFactory, GrantFactory, RoleFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_an_edit_retires_the_live_version_and_publishes_the_next() -> None:
    account = AccountFactory()
    user = UserFactory()
    GrantFactory(user=user, role=RoleFactory(code="ops_manager"), account=account)
    client = Client()
    client.force_login(user)
    values = {
        "account": str(account.pk), "brand": "", "channel": "", "window_days": "14",
        "reasons_said": "late | It came too late | carrier", "categories_said": "food, hygiene",
        "condition": "unused", "fee_minor": "500", "keep_below_minor": "0",
        "review_above_minor": "0", "label_paid_by": "buyer", "refund_trigger": "receipt",
        "shipping_back": "never", "expires_days": "20",
    }  # fmt: skip
    wrong = client.post(
        "/admin/returns/returnpolicy/add/", {**values, "reasons_said": "late | too late | weather"}
    )
    assert "is none of withdrawal" in wrong.content.decode()
    made = client.post("/admin/returns/returnpolicy/add/", values)
    assert made.status_code == 302, made.content.decode()
    first = ReturnPolicy.objects.for_scope(ALL_ACCOUNTS).get()
    page = client.get(f"/admin/returns/returnpolicy/{first.pk}/change/").content.decode()
    assert "late | It came too late | carrier" in page
    changed = client.post(
        f"/admin/returns/returnpolicy/{first.pk}/change/", {**values, "window_days": "21"}
    )
    assert changed.status_code == 302, changed.content.decode()
    versions = ReturnPolicy.objects.for_scope(ALL_ACCOUNTS).order_by("version")
    assert [(row.version, row.window_days) for row in versions] == [(1, 14), (2, 21)]
    assert [row.retired_at is None for row in versions] == [False, True]
    assert versions[1].terms().excluded_categories == ("food", "hygiene")
