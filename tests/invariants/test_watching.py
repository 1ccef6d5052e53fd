"""Every invariant is asked of every account in turn; one that is broken is a case, once."""

from datetime import timedelta

import pytest
from django.db import connection

from config.invariants import invariants
from config.invariants.watching import still_broken, watch_invariants
from config.kernel.models import CaseReport, InvariantCheck
from config.kernel.types import ALL_ACCOUNTS
from tests.factories.inventory import stock
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def test_all_are_asked_in_turn_and_what_is_broken_is_told_once() -> None:
    position = stock(3)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_stockposition SET reserved = 1 WHERE id = %s", [position.pk]
        )
    known = [one.code for one in invariants() if one.code.startswith("stock.")]

    asked = watch_invariants(seconds=600, at=NOON, about="stock.")
    watch_invariants(seconds=600, at=NOON + timedelta(minutes=1), about="stock.")

    rows = InvariantCheck.objects.for_scope(ALL_ACCOUNTS)
    assert sorted(rows.values_list("code", flat=True)) == known
    assert asked == len(known)
    (broken,) = rows.exclude(state="holds")
    assert (broken.code, broken.account_id) == ("stock.reserved", position.account_id)
    (told,) = CaseReport.objects.filter(kind="INVARIANT_BROKEN")
    assert told.evidence["subjects"] == [str(position.pk)]
    assert still_broken([broken.pk]) == {broken.pk}

    rows.filter(pk=broken.pk).update(checked_at=NOON)
    assert watch_invariants(seconds=0, at=NOON + timedelta(hours=1), about="stock.") == 1
    broken.refresh_from_db()
    assert broken.checked_at == NOON + timedelta(hours=1), "it was the one longest unasked"
