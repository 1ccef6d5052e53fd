"""Units that lie otherwise now, and changes of the book that take one person or two."""

from datetime import date

import pytest
from django.db import transaction

from config.kernel import ids
from config.kernel.models import Account, CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Movement, NodeCapability, SkuPack, StockAdjustment, StockLevel
from inventory.states import AdjustmentState
from inventory.types import ConditionChange, PackConversion, StockChange
from tests.books import check_all
from tests.factories.inventory import ANNA, future_want, reread, stock, want
from tests.factories.kernel import NOON
from tests.factories.moves import LILY, MARK, adjustment_of, done, proposed

pytestmark = pytest.mark.django_db


def lies(position):
    levels = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(position=position, on_hand__gt=0)
    return {(level.condition, level.lot): level.on_hand for level in levels}


def change(position, condition, into, quantity=None, **details):
    return ConditionChange(
        position.node_id, position.sku_id, position.account_id, condition, into, quantity, **details
    )


def kinds(position):
    found = Movement.objects.for_scope(ALL_ACCOUNTS).filter(position_id=position.pk)
    return list(found.order_by("id").values_list("kind", flat=True))[1:]


class TestChangeConditions:
    def test_quarantines_one_lot_everywhere_in_it_and_releases_it(self):
        position = stock(5, lot="A", expires_on=date(2026, 9, 1))
        services.record_changes(
            [StockChange(position.node_id, position.sku_id, position.account_id, 3, "receipt")],
            at=NOON,
            actor=ANNA,
        )
        held = change(position, "available", "quality_hold", lot="A")

        services.change_conditions([held], at=NOON, actor=ANNA)
        assert lies(position) == {("available", ""): 3, ("quality_hold", "A"): 5}
        assert reread(position.pk).sellable == 3
        back = change(position, "quality_hold", "available", 2)
        services.change_conditions([back], at=NOON, actor=ANNA)

        assert lies(position)["available", "A"] == 2
        assert kinds(position)[1:] == ["condition"] * 4
        assert check_all(about="stock.") == []

    def test_damage_beyond_what_is_free_is_a_shortfall_and_beyond_the_book_a_discrepancy(self):
        position = stock(3)
        services.take([want(position, 3)], at=NOON, actor=ANNA)

        services.change_conditions(
            [change(position, "available", "damaged", 4)], at=NOON, actor=ANNA
        )

        assert lies(position) == {("damaged", ""): 4}
        assert reread(position.pk).shortfall == 3
        assert kinds(position) == ["discrepancy", "damage", "damage"]
        assert set(CaseReport.objects.values_list("kind", flat=True)) == {
            "SHORTFALL",
            "STOCK_DISCREPANCY",
        }
        assert check_all(about="stock.") == []

    def test_happens_once_and_refuses_what_makes_no_sense(self):
        position = stock(5)
        told = change(position, "available", "damaged", 1, source="wms", external_id="C-1")
        wrong = [
            change(position, "available", "available", 1),
            change(position, "damaged", "nowhere", 1),
            change(position, "reserve_storage", "available"),
            change(position, "available", "damaged", 0),
        ]

        outcomes = services.change_conditions([told, told, *wrong], at=NOON, actor=ANNA)
        (again,) = services.change_conditions([told], at=NOON, actor=ANNA)

        assert [one.kind for one in outcomes[:2]] == ["done", "repeated"]
        assert again.value.movement_id == outcomes[0].value.movement_id
        assert [one.problem.code for one in outcomes[2:]] == [
            "no-change",
            "unknown-condition",
            "nothing-there",
            "no-units",
        ]
        assert lies(position) == {("available", ""): 4, ("damaged", ""): 1}


class TestPutAway:
    def test_what_a_node_received_can_be_sold_once_it_is_put_away(self):
        position = stock(0)
        position.node.puts_away = True
        position.node.save(update_fields=["puts_away"])
        place = (position.node_id, position.sku_id, position.account_id)
        came = StockChange(*place, 6, "receipt", condition="")
        services.record_changes([came], at=NOON, actor=ANNA)
        assert (lies(position), reread(position.pk).sellable) == ({("receiving", ""): 6}, 0)
        services.reserve_future([future_want(position.sku, 2)], at=NOON, actor=ANNA)

        outcomes = services.put_away(
            [
                change(position, "receiving", "available", 4),
                change(position, "receiving", "reserve_storage"),
                change(position, "available", "damaged", 1),
            ],
            at=NOON,
            actor=ANNA,
        )

        assert [one.ok for one in outcomes] == [True, True, False]
        assert lies(position) == {("available", ""): 4, ("reserve_storage", ""): 2}
        assert reread(position.pk).landed == 2
        assert set(kinds(position)[1:]) == {"receipt", "put_away"}
        assert check_all(about="stock.") == []


class TestConvertPacks:
    def test_whole_cases_of_bulk_become_units_that_can_be_picked(self):
        position = stock(48, condition="reserve_storage")
        place = (position.node_id, position.sku_id, position.account_id)
        for level, units, breakable in (
            ("case", 6, True),
            ("inner", 2, False),
            ("pallet", 24, True),
        ):
            SkuPack.objects.create(
                account_id=position.account_id,
                sku_id=position.sku_id,
                level=level,
                units=units,
                breakable=breakable,
            )
        NodeCapability.objects.create(node_id=position.node_id, code="break_case")

        outcomes = services.convert_packs(
            [
                PackConversion(*place, 2),
                PackConversion(*place, 1, units=7),
                PackConversion(*place, 1, pack="inner"),
                PackConversion(*place, 1, pack="pallet"),
                PackConversion(*place, 0),
            ],
            at=NOON,
            actor=ANNA,
        )

        assert [one.problem and one.problem.code for one in outcomes] == [
            None,
            "unknown-pack",
            "not-breakable",
            "cannot-break",
            "no-units",
        ]
        assert lies(position) == {("available", ""): 12, ("reserve_storage", ""): 36}
        assert kinds(position) == ["convert", "convert"]
        assert check_all(about="stock.") == []


class TestExpectedOnHand:
    def test_a_change_that_expects_another_number_is_refused_and_may_be_sent_again(self):
        position = stock(5)
        place = (position.node_id, position.sku_id, position.account_id)
        name = {"source": "erp", "external_id": "E-1"}
        wrong = StockChange(*place, 2, "adjust", expected_on_hand=4, **name)
        right = StockChange(*place, 2, "adjust", expected_on_hand=5, **name)

        first, second, third = (
            services.record_changes([one], at=NOON, actor=ANNA)[0] for one in (wrong, right, wrong)
        )

        assert (first.problem.code, first.problem.extra) == ("stale", {"on_hand": 5})
        assert (second.kind, third.kind, third.value) == ("done", "repeated", second.value)
        assert reread(position.pk).sellable == 7


class TestAdjustStock:
    def test_writes_what_is_small_and_proposes_what_is_large(self):
        position = stock(5)
        drafts = [
            adjustment_of(position, -2, reason="damage", note="dropped"),
            adjustment_of(position, 101),
            adjustment_of(position, 60),  # of 19.99 each
            adjustment_of(position, 1, reason="mood"),
            adjustment_of(position, 1, expected_on_hand=9),
        ]

        outcomes = services.adjust_stock(drafts, at=NOON, actor=LILY)

        assert [one.value.state for one in outcomes[:3]] == ["applied", "proposed", "proposed"]
        assert [one.problem.code for one in outcomes[3:]] == ["unknown-reason", "stale"]
        assert reread(position.pk).sellable == 3
        movement = Movement.objects.for_scope(ALL_ACCOUNTS).get(cause_kind="adjustment")
        assert (movement.kind, movement.note) == ("damage", "Damaged: dropped")
        assert movement.pk == outcomes[0].value.movement_id
        assert check_all(about="stock.") + check_all(about="history.") == []

    def test_the_account_says_what_is_large(self):
        position = stock(5)
        Account.objects.update(settings={"adjustment_limit": {"units": 3}})

        outcomes = services.adjust_stock(
            [adjustment_of(position, units) for units in (3, 4)], at=NOON, actor=LILY
        )

        assert [one.value.state for one in outcomes] == ["applied", "proposed"]

    def test_takes_a_draft_once(self):
        position = stock(5)
        draft = adjustment_of(position, 1, source="shop", external_id="A-1")

        first, twin = services.adjust_stock([draft, draft], at=NOON, actor=LILY)
        (again,) = services.adjust_stock([draft], at=NOON, actor=LILY)

        assert [first.kind, twin.kind, again.kind] == ["done", "repeated", "repeated"]
        assert first.value == twin.value == again.value
        assert reread(position.pk).sellable == 6

    def test_a_person_cannot_pass_by_it_with_a_plain_change(self):
        position = stock(500)
        place = (position.node_id, position.sku_id, position.account_id)
        facts = [StockChange(*place, -200, kind) for kind in ("adjust", "count", "sale")]

        outcomes = services.record_changes(facts, at=NOON, actor=LILY)

        assert [one.problem and one.problem.code for one in outcomes] == [
            "needs-approval",
            "needs-approval",
            None,
        ]


class TestApproveAdjustments:
    def test_takes_another_person_and_writes_the_ledger(self):
        position = stock(5)
        row = proposed(position)

        (own,) = services.approve_adjustments([row.pk], at=NOON, actor=LILY)
        (other,) = services.approve_adjustments([row.pk], "counted twice", at=NOON, actor=MARK)

        assert (own.problem.code, other.value.state) == ("same-person", "applied")
        assert reread(position.pk).sellable == 505
        topics = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_id=row.pk).order_by("seq")
        assert list(topics.values_list("topic", flat=True)) == [
            "adjustment.proposed",
            "adjustment.applied",
        ]
        assert check_all(about="stock.") + check_all(about="history.") == []

    def test_leaves_one_that_expected_another_number_for_somebody_to_decline(self):
        position = stock(5)
        draft = adjustment_of(position, 500, expected_on_hand=5)
        key = done(services.adjust_stock([draft], at=NOON, actor=LILY)).id
        services.adjust_stock([adjustment_of(position, 1)], at=NOON, actor=LILY)

        (stale,) = services.approve_adjustments([key], at=NOON, actor=MARK)
        (declined,) = services.decline_adjustments([key], "overtaken", at=NOON, actor=LILY)

        assert (stale.problem.code, declined.value.state) == ("stale", "declined")
        assert reread(position.pk).sellable == 6

    @pytest.mark.parametrize("verb", ["approve", "decline"])
    def test_decides_only_what_is_still_open(self, verb):
        position = stock(5)
        rows = {}
        for state in AdjustmentState.values:
            row = proposed(position)
            at_end = {"movement_id": ids.uuid7()} if state == "applied" else {}
            StockAdjustment.objects.for_scope(ALL_ACCOUNTS).filter(pk=row.pk).update(
                state=state, **at_end
            )
            rows[state] = row.pk
        decide = {
            "approve": lambda keys: services.approve_adjustments(keys, at=NOON, actor=MARK),
            "decline": lambda keys: services.decline_adjustments(keys, "no", at=NOON, actor=MARK),
        }[verb]

        with transaction.atomic():
            *outcomes, unknown = decide([*rows.values(), ids.uuid7()])

        ok = {state for state, one in zip(rows, outcomes, strict=True) if one.ok}
        assert ok == ({"proposed"} if verb == "approve" else {"proposed", "approved"})
        assert unknown.problem.code == "not-found"
