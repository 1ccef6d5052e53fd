"""What is told of SKUs, and what is put away of the files that they came in."""

from datetime import timedelta

import pytest

from config.kernel.errors import Conflict
from config.kernel.models import Event
from config.kernel.services import upkeep
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.exchange import imports
from inventory.exchange.kinds import kind_of
from inventory.models import SupplyImportPart
from inventory.types import BarcodeDraft, ItemDraft, PartDraft
from tests.factories.inventory import ANNA
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, str, list[str], int]]:
    """(topic, SKU, parts, seq) of every event of SKUs, in their order."""
    rows = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_kind="sku").order_by("id")
    return [(row.topic, row.data["sku"], row.data["parts"], row.seq) for row in rows]


def test_each_change_of_a_sku_is_told_once_with_what_of_it_is_another() -> None:
    account_id = AccountFactory().pk

    def put(*drafts: ItemDraft) -> None:
        outcomes = services.put_items(drafts, account_id=account_id, at=NOON, actor=ANNA)
        assert all(one.ok for one in outcomes)

    put(ItemDraft("MUG", name="Mug"), ItemDraft("SET", name="Set", kind="kit"))
    put(ItemDraft("MUG", name="Mug"))
    put(ItemDraft("MUG", name="Mug", price_minor=900))
    services.put_parts([PartDraft("SET", "MUG", 2)], account_id=account_id, at=NOON, actor=ANNA)
    services.put_barcodes([BarcodeDraft("M-1", "MUG")], account_id=account_id, at=NOON, actor=ANNA)
    put(ItemDraft("MUG", name="Mug", price_minor=900, lifecycle="discontinued"))

    assert told() == [
        ("sku.created", "MUG", [], 1),
        ("sku.created", "SET", [], 1),
        ("sku.changed", "MUG", ["price_minor"], 2),
        ("sku.changed", "SET", ["components"], 2),
        ("sku.changed", "MUG", ["barcodes"], 3),
        ("sku.retired", "MUG", ["lifecycle"], 4),
    ]


def test_rows_of_files_are_put_away_with_the_kernels_old_rows() -> None:
    account_id = AccountFactory().pk
    kind = kind_of("skus")
    text = f"{','.join(kind.key)},name\nMUG,Mug\n".encode()
    old, fresh = (
        imports.receive(kind, "skus.csv", [text], account_id=account_id, at=at, actor=ANNA)
        for at in (NOON - timedelta(days=31), NOON)
    )
    upkeep.remove_expired(at=NOON)

    assert set(SupplyImportPart.objects.values_list("of_id", flat=True)) == {fresh.pk}
    with pytest.raises(Conflict, match="send it again"):
        imports.begin(old.pk, dry=True, at=NOON, actor=ANNA)
