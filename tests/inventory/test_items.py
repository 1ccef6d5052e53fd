"""SKUs as they are sold and stored: lifecycle, hazard, packs, barcodes, kits, substitutes."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from config.kernel.errors import NotFound
from config.kernel.history import Change
from config.kernel.models import Account
from config.kernel.types import ALL_ACCOUNTS, Outcome, Scope
from inventory import selectors, services
from inventory.gtin import check_digit, is_gtin
from inventory.models import Barcode, Sku, Substitute
from inventory.types import BarcodeDraft, ItemDraft, PackDraft, PartDraft, SubstituteDraft
from tests.factories.inventory import ANNA, ChannelNodeFactory, NodeFactory, SkuFactory, stock
from tests.factories.kernel import NOON, AccountFactory, BrandFactory, ChannelFactory

pytestmark = pytest.mark.django_db

BY = {"at": NOON, "actor": ANNA}


def put(account: Account, *drafts: ItemDraft) -> list[Outcome[int]]:
    return services.put_items(drafts, account_id=account.pk, **BY)


def sku(account: Account, code: str) -> Sku:
    found: Sku = Sku.objects.for_scope(ALL_ACCOUNTS).get(account=account, code=code)
    return found


def why(outcome: Outcome[int]) -> str:
    return str(outcome.problem.extra["column"]) if outcome.problem else ""


class TestLifecycle:
    @pytest.mark.parametrize(
        ("lifecycle", "sell_through", "sold", "replenished"),
        [
            ("planned", True, False, True),
            ("active", True, True, True),
            ("phasing_out", True, True, False),
            ("discontinued", True, True, False),
            ("discontinued", False, False, False),
        ],
    )
    def test_says_what_is_sold_and_what_is_replenished(
        self, lifecycle, sell_through, sold, replenished
    ):
        account = AccountFactory()

        put(account, ItemDraft("A", "A", lifecycle=lifecycle, sell_through=sell_through))

        view = selectors.skus_by_code(account.pk, None, ["A"])["A"]
        assert (view.active, view.replenished) == (sold, replenished)

    def test_moves_along_its_machine_only(self):
        account = AccountFactory()
        put(account, ItemDraft("A", "A", lifecycle="planned"), ItemDraft("B", "B"))

        outcomes = put(
            account,
            ItemDraft("A", "A", lifecycle="phasing_out"),
            ItemDraft("B", "B", lifecycle="planned"),
        )

        assert [why(one) for one in outcomes] == ["lifecycle", "lifecycle"]
        for step in ("active", "phasing_out", "discontinued", "active"):
            assert put(account, ItemDraft("A", "A", lifecycle=step))[0].ok
        assert sku(account, "A").lifecycle == "active"

    def test_what_is_sold_no_more_has_nothing_to_sell(self):
        position = stock(7)
        channel = ChannelFactory(account=position.sku.account)
        ChannelNodeFactory(channel=channel, node=position.node)
        before = selectors.ats(channel.pk, [position.sku_id], at=NOON)

        services.change_items(
            [{"code": position.sku.code, "lifecycle": "discontinued", "sell_through": False}],
            account_id=position.account_id,
            **BY,
        )

        after = selectors.ats(channel.pk, [position.sku_id], at=NOON)
        assert (before[position.sku_id], after[position.sku_id]) == (7, 0)


class TestWhatIsSaid:
    def test_is_refused_where_it_contradicts_itself(self):
        account, other = AccountFactory(), BrandFactory()

        outcomes = put(
            account,
            ItemDraft("A", "A", un_number="1266"),
            ItemDraft("B", "B", hazard_class="highly"),
            ItemDraft("C", "C", kind="kit", hazard_class="3"),
            ItemDraft("D", "D", shelf_life_days=30),
            ItemDraft("E", "E", kind="service", lot_tracked=True),
            ItemDraft("F", "F", brand_id=other.pk),
            ItemDraft("G", "G", un_number="12x", hazard_class="3"),
            ItemDraft("H", "H"),
            ItemDraft("H", "H"),
        )

        assert [why(one) for one in outcomes] == [
            "hazard_class",
            "hazard_class",
            "hazard_class",
            "shelf_life_days",
            "lot_tracked",
            "brand",
            "un_number",
            "",
            "code",
        ]
        assert Sku.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_stays_as_it_is_where_a_change_does_not_name_it(self):
        account = AccountFactory()
        put(account, ItemDraft("A", "A", hs_code="330499", attributes={"line": "Day"}))

        services.change_items(
            [{"code": "A", "price_minor": 900}, {"code": "B"}], account_id=account.pk, **BY
        )

        found = sku(account, "A")
        assert (found.hs_code, found.attributes, found.price_minor) == (
            "330499",
            {"line": "Day"},
            900,
        )
        reasons = [row.history_type for row in Sku.history.filter(id=found.pk).order_by("pk")]
        assert reasons == [Change.CREATED, Change.CHANGED]

    def test_the_kind_of_what_has_stock_stays(self):
        position = stock(1)

        (refused,) = put(
            position.sku.account, ItemDraft(position.sku.code, position.sku.name, kind="kit")
        )

        assert why(refused) == "kind"

    def test_is_written_in_as_many_statements_for_many(self, django_assert_num_queries):
        account = AccountFactory()
        with django_assert_num_queries(10):
            put(account, *(ItemDraft(f"S{n}", "S") for n in range(50)))


class TestKits:
    def a_kit(self, account: Account) -> None:
        put(
            account,
            ItemDraft("SPRAY", "Spray", hazard_class="2.1", un_number="1950"),
            ItemDraft("MUG", "Mug"),
            ItemDraft("SET", "Set", kind="kit"),
        )
        parts = [PartDraft("SET", "SPRAY", 2), PartDraft("SET", "MUG", 1)]
        services.put_parts(parts, account_id=account.pk, **BY)

    def test_are_as_dangerous_and_as_sold_as_what_they_hold(self):
        account = AccountFactory()
        self.a_kit(account)
        assert (sku(account, "SET").hazmat, sku(account, "SET").active) == (True, True)

        services.change_items(
            [
                {"code": "SPRAY", "un_number": "", "hazard_class": ""},
                {"code": "MUG", "lifecycle": "discontinued", "sell_through": False},
            ],
            account_id=account.pk,
            **BY,
        )

        assert (sku(account, "SET").hazmat, sku(account, "SET").active) == (False, False)
        services.remove_parts([("SET", "MUG")], account_id=account.pk, **BY)
        assert sku(account, "SET").active

    def test_hold_no_kits(self):
        account = AccountFactory()
        self.a_kit(account)
        put(account, ItemDraft("BIG", "Big set", kind="kit"))

        outcomes = services.put_parts(
            [
                PartDraft("BIG", "SET", 1),
                PartDraft("MUG", "SPRAY", 1),
                PartDraft("BIG", "GONE", 1),
                PartDraft("BIG", "MUG", 0),
            ],
            account_id=account.pk,
            **BY,
        )

        assert [why(one) for one in outcomes] == ["component", "kit", "component", "quantity"]

    def test_are_available_by_the_scarcest_of_a_node(self):
        account = AccountFactory()
        self.a_kit(account)
        channel = ChannelFactory(account=account)
        east, west = NodeFactory(account=account), NodeFactory(account=account)
        for node, sprays, mugs in ((east, 5, 9), (west, 9, 1)):
            ChannelNodeFactory(channel=channel, node=node)
            stock(sprays, sku=sku(account, "SPRAY"), node=node)
            stock(mugs, sku=sku(account, "MUG"), node=node)

        kit = sku(account, "SET").pk

        assert selectors.ats(channel.pk, [kit], at=NOON) == {kit: 2 + 1}


class TestGtins:
    @pytest.mark.parametrize(
        "gtin", ["96385074", "614141000036", "4006381333931", "10614141000415"]
    )
    def test_end_in_their_check_digit(self, gtin):
        assert is_gtin(gtin)
        assert check_digit(gtin[:-1]) == int(gtin[-1])
        assert not is_gtin(gtin[:-1] + str((int(gtin[-1]) + 1) % 10))

    def test_of_other_lengths_are_none(self):
        assert not any(
            is_gtin(text)
            for text in ("", "0", "400638133393", "40063813339310", "４００６３８１３３３９３１")
        )


class TestBarcodes:
    def test_are_proven_and_one_in_whichever_length(self):
        account = AccountFactory()
        put(account, ItemDraft("A", "A"), ItemDraft("B", "B"))

        outcomes = services.put_barcodes(
            [
                BarcodeDraft("614141000036", "A"),
                BarcodeDraft("0614141000036", "B"),
                BarcodeDraft("4006381333932", "A"),
                BarcodeDraft("SHELF-7", "A"),
                BarcodeDraft("4006381333931", "GONE"),
                BarcodeDraft("1234567890123", "B", kind="internal"),
                BarcodeDraft("X", "B", "case"),
            ],
            account_id=account.pk,
            **BY,
        )

        assert [why(one) for one in outcomes] == ["", "value", "value", "", "sku", "", "level"]
        kinds = Barcode.objects.for_scope(ALL_ACCOUNTS).values_list("value", "kind", "gtin")
        assert set(kinds) == {
            ("614141000036", "gtin", "00614141000036"),
            ("SHELF-7", "internal", ""),
            ("1234567890123", "internal", ""),
        }
        scope = Scope(frozenset({account.pk}))
        for scan in ("614141000036", "0614141000036", "00614141000036", "SHELF-7", "A"):
            assert selectors.skus_by_scan(scan, scope) == [sku(account, "A").pk]
        assert selectors.skus_by_scan("614141000036", Scope(frozenset())) == []


class TestPacks:
    def test_hold_whole_packs_of_the_level_before(self):
        account = AccountFactory()
        put(account, ItemDraft("A", "A"), ItemDraft("B", "B"))

        outcomes = services.put_packs(
            [
                PackDraft("A", "case", 24),
                PackDraft("A", "inner", 6),
                PackDraft("A", "pallet", 480),
                PackDraft("B", "inner", 5),
                PackDraft("B", "case", 12),
            ],
            account_id=account.pk,
            **BY,
        )

        assert [why(one) for one in outcomes] == ["", "", "", "units", "units"]
        levels = [
            (pack.level, pack.units)
            for pack in selectors.packs([outcomes and sku(account, "A").pk])[sku(account, "A").pk]
        ]
        assert levels == [("inner", 6), ("case", 24), ("pallet", 480)]

    def test_are_sold_as_a_kit_of_as_many(self):
        account = AccountFactory()
        put(account, ItemDraft("A", "A"), ItemDraft("SIX", "Six of A", kind="kit"))
        pack = PackDraft("A", "inner", 6, sold_as="SIX")

        early = services.put_packs([pack], account_id=account.pk, **BY)
        services.put_parts([PartDraft("SIX", "A", 6)], account_id=account.pk, **BY)
        then = services.put_packs([pack], account_id=account.pk, **BY)

        assert (why(early[0]), why(then[0])) == ("sold_as", "")
        seen = selectors.packs([sku(account, "A").pk])[sku(account, "A").pk]
        assert seen[0].sold_as_id == sku(account, "SIX").pk

    def test_a_scan_of_one_means_its_units(self):
        account = AccountFactory()
        put(account, ItemDraft("A", "A"))
        services.put_packs([PackDraft("A", "case", 12)], account_id=account.pk, **BY)
        codes = [BarcodeDraft("10614141000415", "A", "case"), BarcodeDraft("96385074", "A")]
        services.put_barcodes(codes, account_id=account.pk, **BY)

        units = {
            code: [(one.units, one.level) for one in selectors.scanned(code, ALL_ACCOUNTS)]
            for code in ("10614141000415", "96385074", "A", "B")
        }

        assert units == {
            "10614141000415": [(12, "case")],
            "96385074": [(1, "each")],
            "A": [(1, "each")],
            "B": [],
        }


class TestSubstitutes:
    def propose(self, account: Account, *drafts: SubstituteDraft) -> list[Outcome]:
        return services.propose_substitutes(drafts, account_id=account.pk, **BY)

    def test_go_out_once_approved_by_rank_with_what_is_free(self):
        account = AccountFactory()
        channel = ChannelFactory(account=account)
        node = NodeFactory(account=account)
        ChannelNodeFactory(channel=channel, node=node)
        put(
            account,
            ItemDraft("A", "A", price_minor=1_000),
            ItemDraft("B", "B", price_minor=400),
            ItemDraft("C", "C", price_minor=1_500),
            ItemDraft("D", "D", lifecycle="planned"),
        )
        stock(5, sku=sku(account, "B"), node=node)
        outcomes = self.propose(
            account,
            SubstituteDraft("A", "B", rank=2, ratio=2),
            SubstituteDraft("A", "C", rank=1, both_ways=True, price_rule="own"),
            SubstituteDraft("A", "D"),
        )
        a, c = sku(account, "A").pk, sku(account, "C").pk
        assert selectors.substitutes([a], channel.pk, at=NOON) == {}

        services.approve_substitutes([one.value for one in outcomes], **BY)
        found = selectors.substitutes([a, c], channel.pk, at=NOON)

        assert [(one.code, one.rank, one.ratio, one.price_minor, one.free) for one in found[a]] == [
            ("C", 1, 1, 1_500, 0),
            ("B", 2, 2, 800, 5),
        ]
        assert [(one.code, one.price_minor) for one in found[c]] == [("A", 1_000)]

    def test_of_a_channel_go_before_those_of_all_and_chains_are_not_followed(self):
        account = AccountFactory()
        channel, other = ChannelFactory(account=account), ChannelFactory(account=account)
        put(account, *(ItemDraft(code, code, price_minor=100) for code in "ABC"))
        outcomes = self.propose(
            account,
            SubstituteDraft("A", "B", price_rule="keep", rank=1),
            SubstituteDraft("A", "B", channel.pk, needs_consent=False, rank=7),
            SubstituteDraft("B", "C", starts_at=NOON, ends_at=NOON + timedelta(days=1)),
        )
        services.approve_substitutes([one.value for one in outcomes], **BY)
        a, b = sku(account, "A").pk, sku(account, "B").pk

        here = selectors.substitutes([a, b], channel.pk, at=NOON)
        there = selectors.substitutes([a, b], other.pk, at=NOON + timedelta(days=1))

        assert [(one.code, one.rank, one.needs_consent) for one in here[a]] == [("B", 7, False)]
        assert [one.code for one in here[b]] == ["C"]
        assert ([one.rank for one in there[a]], b in there) == ([1], False)

    def test_that_are_changed_are_approved_anew_and_retired_ones_stay_out(self):
        account = AccountFactory()
        channel = ChannelFactory(account=account)
        put(account, *(ItemDraft(code, code) for code in "AB"))
        (one,) = self.propose(account, SubstituteDraft("A", "B"))
        services.approve_substitutes([one.value], **BY)
        a = sku(account, "A").pk

        self.propose(account, SubstituteDraft("A", "B", rank=3))
        kept = selectors.substitutes([a], channel.pk, at=NOON)
        self.propose(account, SubstituteDraft("A", "B", rank=3, ratio=2))
        changed = selectors.substitutes([a], channel.pk, at=NOON)
        again = services.approve_substitutes([one.value], **BY)
        services.retire_substitutes([one.value], **BY)

        assert ([row.rank for row in kept[a]], changed) == ([3], {})
        assert again[0].kind == "done"
        assert selectors.substitutes([a], channel.pk, at=NOON) == {}
        row = Substitute.objects.for_scope(ALL_ACCOUNTS).get(pk=one.value)
        assert (row.state, row.approved_by) == ("retired", "anna")

    def test_are_refused_where_they_make_no_sense(self):
        account = AccountFactory()
        put(account, ItemDraft("A", "A"), ItemDraft("B", "B"), ItemDraft("K", "K", kind="kit"))

        outcomes = self.propose(
            account,
            SubstituteDraft("A", "A"),
            SubstituteDraft("A", "K"),
            SubstituteDraft("GONE", "B"),
            SubstituteDraft("A", "B", ChannelFactory().pk),
            SubstituteDraft("A", "B", ratio=2, both_ways=True),
            SubstituteDraft("B", "A", starts_at=NOON, ends_at=NOON),
        )

        assert [why(one) for one in outcomes] == [
            "substitute",
            "substitute",
            "sku",
            "channel",
            "both_ways",
            "ends_at",
        ]
        with pytest.raises(NotFound):
            services.approve_substitutes([account.pk], **BY)


def test_the_database_refuses_a_hazard_number_without_its_class():
    with pytest.raises(IntegrityError), transaction.atomic():
        SkuFactory(un_number="1950")
