"""`manage.py found_account`: what a real installation begins with."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from config.kernel.access import ROLE_PERMISSIONS
from config.kernel.models import Account, Role
from routing.models import SourcingPolicy

pytestmark = pytest.mark.django_db


def found(code="harbor", name="Harbor", currency="USD", timezone="America/New_York"):
    told = StringIO()
    call_command("found_account", code, name, currency=currency, timezone=timezone, stdout=told)
    return told.getvalue()


def test_makes_the_account_its_roles_and_one_live_policy():
    told = found()

    assert Account.objects.get().currency == "USD"
    assert set(Role.objects.values_list("code", flat=True)) == set(ROLE_PERMISSIONS)
    policies = SourcingPolicy._base_manager
    assert policies.filter(state="live").count() == 1
    assert told.startswith(f"harbor: {len(ROLE_PERMISSIONS)} roles to grant; policies ")


def test_said_again_changes_the_name_and_nothing_else():
    found()
    policies = SourcingPolicy._base_manager.count()

    found(name="Harbor & Pine")

    assert Account.objects.get().name == "Harbor & Pine"
    assert SourcingPolicy._base_manager.count() == policies


@pytest.mark.parametrize(
    "wrong",
    [{"code": "Har bor"}, {"name": ""}, {"currency": "dollar"}, {"timezone": "New York"}],
)
def test_refuses_what_cannot_be_meant_with_exit_code_2(wrong):
    with pytest.raises(CommandError) as refused:
        found(**wrong)

    assert refused.value.returncode == 2
    assert not Account.objects.exists()
