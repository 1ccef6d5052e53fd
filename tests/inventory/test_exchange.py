"""Supply as files: checked before it is applied, a result per row, and out and in again the same."""

import pytest

from config.kernel.errors import IllegalTransition, Invalid
from config.kernel.models import Account
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from inventory import exchange, services
from inventory.exchange.cells import guarded, unguarded
from inventory.exchange.files import text_of
from inventory.models import Barcode, Sku, SkuPack, SupplyImport
from inventory.types import BarcodeDraft, ItemDraft, PackDraft, PartDraft, SubstituteDraft
from tests.factories.inventory import ANNA
from tests.factories.kernel import NOON, AccountFactory, BrandFactory, ChannelFactory

pytestmark = pytest.mark.django_db

BY = {"at": NOON, "actor": ANNA}


def send(account: Account, kind: str, text: str | bytes, *, dry: bool = False) -> SupplyImport:
    """Receive the file and work through it."""
    data = text if isinstance(text, bytes) else text.encode()
    run = exchange.receive(
        exchange.kind_of(kind), f"{kind}.csv", [data], account_id=account.pk, **BY
    )
    return go(run, dry=dry)


def go(run: SupplyImport, *, dry: bool) -> SupplyImport:
    job = exchange.begin(run.pk, dry=dry, **BY)
    assert jobs.run_job(job.pk, at=NOON)
    run.refresh_from_db()
    return run


def told(run: SupplyImport) -> list[tuple[int, str, str]]:
    return [(one.row, one.outcome, one.column) for one in exchange.results(run.pk)]


def exported(account: Account, kind: str) -> str:
    return "".join(exchange.export_lines(exchange.kind_of(kind), account.pk))


def a_full_assortment() -> Account:
    """Every kind has rows, some with text that a spreadsheet would run."""
    account = AccountFactory()
    brand = BrandFactory(account=account, code="care")
    channel = ChannelFactory(account=account)
    services.put_items(
        [
            ItemDraft("SERUM", "=1+1 Serum, 30 ml", brand_id=brand.pk, lot_tracked=True,
                      expires=True, shelf_life_days=900, min_remaining_life_days=90,
                      hazard_class="3", un_number="1266", packing_group="II",
                      limited_quantity=True, attributes={"line": "Día"}),
            ItemDraft("CREAM", "'Cream' \"rich\"\nnight"),
            ItemDraft("PAIR", "Serum ×6", kind="kit"),
            ItemDraft("OLD", "Old", lifecycle="discontinued", sell_through=False),
        ],
        account_id=account.pk,
        **BY,
    )  # fmt: skip
    services.put_parts([PartDraft("PAIR", "SERUM", 6)], account_id=account.pk, **BY)
    services.put_packs(
        [PackDraft("SERUM", "inner", 6, sold_as="PAIR"), PackDraft("SERUM", "case", 24)],
        account_id=account.pk,
        **BY,
    )
    services.put_barcodes(
        [BarcodeDraft("4006381333931", "SERUM"), BarcodeDraft("-X1", "SERUM", "case", "internal")],
        account_id=account.pk,
        **BY,
    )
    (proposed,) = services.propose_substitutes(
        [SubstituteDraft("SERUM", "CREAM", channel.pk, rank=2, starts_at=NOON)],
        account_id=account.pk,
        **BY,
    )
    services.approve_substitutes([proposed.value], **BY)
    sku = Sku.objects.for_scope(ALL_ACCOUNTS).get(account=account, code="CREAM")
    services.define.define_listings([(channel.pk, "@cream", sku.pk)], **BY)
    return account


class TestRoundTrip:
    def test_what_is_exported_changes_nothing_when_it_comes_back(self):
        account = a_full_assortment()

        for kind in ("skus", "packs", "barcodes", "kits", "substitutes", "listings"):
            run = send(account, kind, exported(account, kind))

            assert (kind, run.state, set(run.counts)) == (kind, "applied", {"same"})

    def test_makes_another_account_the_same(self):
        first, second = a_full_assortment(), AccountFactory()
        BrandFactory(account=second, code="care")
        channel = ChannelFactory(account=second)
        for kind in ("skus", "kits", "packs", "barcodes", "substitutes", "listings"):
            text = exported(first, kind).replace(_channel_of(first), channel.code)
            run = send(second, kind, text)
            assert (kind, set(run.counts)) == (kind, {"created"})

            assert exported(second, kind) == text

    def test_no_cell_is_a_formula(self):
        text = exported(a_full_assortment(), "skus")

        assert "\n" in text
        assert "'=1+1 Serum" in text
        assert ",=1+1" not in text


def _channel_of(account: Account) -> str:
    lines = exported(account, "listings").splitlines()
    return lines[1].split(",")[0]


class TestGuard:
    @pytest.mark.parametrize(
        "text", ["=A1", "+1", "-X", "@x", "'=x", "''", "'tis", "＝1", "a=b", ""]
    )
    def test_is_undone_by_reading(self, text):
        assert unguarded(guarded(text)) == text
        assert guarded(text)[:1] not in set("=+-@＝")


class TestDryRun:
    def test_tells_of_each_row_what_applying_would_and_writes_nothing(self):
        account = a_full_assortment()
        before = exported(account, "skus")
        text = (
            "code;name;kind;price_minor;lifecycle;hazard_class\n"
            "SERUM;=1+1 Serum, 30 ml;stock;0;active;3\n"
            "CREAM;Night cream;stock;900;phasing_out;\n"
            "NEW;New one;stock;100;planned;\n"
            "OLD;Old;stock;0;phasing_out;\n"
            "BAD;;stock;12,5;active;\n"
            "NEW;Again;stock;1;active;\n"
            "SHORT;Row\n"
        )

        checked = send(account, "skus", text, dry=True)

        assert checked.state == "checked"
        assert told(checked) == [
            (1, "same", ""),
            (2, "changed", ""),
            (3, "created", ""),
            (4, "refused", "lifecycle"),
            (5, "refused", "name"),
            (6, "refused", "code"),
            (7, "refused", ""),
        ]
        details = {one.row: one.detail for one in exchange.results(checked.pk)}
        assert "price_minor: 0 → 900" in details[2]
        assert "name: It is empty; fill it in. price_minor: '12,5' is no whole number" in details[5]
        assert details[6] == "Row 3 is about the same; keep one of them."
        assert exported(account, "skus") == before

        applied = go(checked, dry=False)

        assert applied.state == "applied"
        assert told(applied) == told(checked)
        assert applied.counts == {"same": 1, "changed": 1, "created": 1, "refused": 4}
        found = Sku.objects.for_scope(ALL_ACCOUNTS).filter(account=account)
        assert found.get(code="NEW").lifecycle == "planned"
        assert found.get(code="CREAM").name == "Night cream"

    def test_a_file_is_applied_once(self):
        run = send(AccountFactory(), "skus", "code,name\nA,Apple\n")

        with pytest.raises(IllegalTransition):
            exchange.begin(run.pk, dry=False, **BY)


class TestRows:
    def test_columns_that_a_file_leaves_out_stay_as_they_are(self):
        account = a_full_assortment()

        send(account, "skus", "code,price_minor\nSERUM,4200\n")

        sku = Sku.objects.for_scope(ALL_ACCOUNTS).get(account=account, code="SERUM")
        assert (sku.price_minor, sku.un_number, sku.expires) == (4200, "1266", True)

    def test_are_taken_away_where_they_say_so(self):
        account = a_full_assortment()

        run = send(
            account,
            "packs",
            "sku,level,units,remove\nSERUM,case,24,yes\nSERUM,pallet,48,yes\nSERUM,inner,6,\n",
        )

        assert told(run) == [(1, "removed", ""), (2, "same", ""), (3, "same", "")]
        levels = SkuPack.objects.for_scope(ALL_ACCOUNTS).values_list("level", flat=True)
        assert list(levels) == ["inner"]
        assert not Barcode.objects.for_scope(ALL_ACCOUNTS).filter(value="-X1").exists()

    def test_a_number_that_a_spreadsheet_has_rounded_is_refused_with_advice(self):
        account = a_full_assortment()

        run = send(
            account,
            "skus",
            "code,hs_code\nSERUM,3.3E+9\n",
        )

        (one,) = exchange.results(run.pk)
        assert (one.column, "format the column as text" in one.detail) == ("hs_code", True)


class TestFiles:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"code,name,color\nA,Apple,red\n", "There is no column 'color'"),
            (b"name\nApple\n", "The header lacks code"),
            (b"code,code,name\n", "names code twice"),
            (b"code,name\n", "The file has no rows"),
            (b"", "The header lacks code"),
            (b"code,name\nA,\xff\n", "no UTF-8"),
            (b'code,name\nA,"Apple\n', "no CSV"),
        ],
    )
    def test_that_are_none_of_their_kind_are_refused_whole(self, text, said):
        with pytest.raises(Invalid, match=said):
            send(AccountFactory(), "skus", text)

        assert not SupplyImport.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_may_begin_with_a_mark_and_come_in_pieces(self):
        data = "\ufeffcode,name\nÄ,Größe".encode()

        assert "".join(text_of([data[:7], data[7:19], data[19:]])) == "code,name\nÄ,Größe"

    def test_of_many_parts_are_worked_through_to_their_end(self, django_assert_max_num_queries):
        account = AccountFactory()
        rows = "".join(f"SKU-{n:05},Thing {n}\n" for n in range(1_250))

        with django_assert_max_num_queries(110):
            run = send(account, "skus", f"code,name\n{rows}")

        assert run.counts == {"created": 1_250}
        assert [one.row for one in exchange.results(run.pk)] == list(range(1, 1_251))
